"""Makes the demonstration laboratory through the same services that people use."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.enums import Role
from accounts.models import User
from classifier.enums import Priority
from classifier.exceptions import ImageRefused
from classifier.models import Case, Laboratory, Patient
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case, submit_case
from classifier.services.images import add_image
from classifier.services.patients import register_patient
from classifier.services.reference_imports import Provenance, import_picture
from demo import pictures
from demo.history import EARLIER, sign_earlier_reports
from demo.people import PASSWORD, PATIENTS, STAFF, StaffMember

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoCase:
    """A case to be made: for which patient, how urgent, how many pictures, how long ago.

    Its pictures are single cells, or whole fields.
    """

    patient: int
    priority: Priority
    images: int
    hours_ago: int
    wbc_count: Decimal | None
    is_submitted: bool = True
    of_fields: bool = False


CASES = (
    DemoCase(0, Priority.ROUTINE, 40, 5, Decimal("7.20")),
    DemoCase(1, Priority.STAT, 24, 1, Decimal("28.40")),
    DemoCase(2, Priority.URGENT, 24, 3, None),
    DemoCase(3, Priority.ROUTINE, 6, 2, Decimal("9.10"), is_submitted=False),
    DemoCase(4, Priority.ROUTINE, 12, 4, Decimal("11.60"), of_fields=True),
)


KNOWN_BEFORE = 1
"""The patient with earlier reports."""

DRAWN = Provenance("Drawn by the demonstration; no real cell", "Apache-2.0, as HematoVision")


def is_empty() -> bool:
    """Say whether nobody has used this database yet."""
    return not User.objects.filter(is_system=False).exists() and not Patient.objects.exists()


@transaction.atomic
def seed(*, images: Path | None, report: Progress) -> None:
    """Fill an empty database with staff, patients and cases; all of it or nothing.

    Pictures come from ``images`` when given, and are rendered otherwise.
    """
    _name_laboratory()
    staff = {member.role: _create_account(member) for member in STAFF}
    technician = staff[Role.TECHNICIAN]
    patients = [register_patient(actor=technician, identity=identity) for identity in PATIENTS]
    report(f"  {len(EARLIER)} earlier reports")
    pathologist = staff[Role.PATHOLOGIST]
    sign_earlier_reports(patients[KNOWN_BEFORE], technician=technician, pathologist=pathologist)
    for number, plan in enumerate(CASES, start=1):
        report(f"  case {number} of {len(CASES)}: {plan.images} pictures")
        _make_case(plan, patients[plan.patient], technician, images, seed=number)
    _fill_reference_library()


def _name_laboratory() -> None:
    laboratory = Laboratory.current()
    laboratory.name = "HematoVision Demonstration Laboratory"
    laboratory.address = "1 Laboratory Street\n12345 Sampleton"
    laboratory.phone = "+00 000 000 000"
    laboratory.director = "Leila Haddad, MD"
    laboratory.mrn_issuer = "HVDEMO"
    laboratory.platelet_factor = Decimal(15)
    laboratory.is_demo = True
    laboratory.save()
    record(actor=User.system(), action="demo.seeded", target=None)


def _create_account(member: StaffMember) -> User:
    return User.objects.create_user(
        email=member.email,
        full_name=member.full_name,
        title=member.title,
        role=member.role,
        password=PASSWORD,
    )


def _make_case(
    plan: DemoCase, patient: Patient, technician: User, images: Path | None, *, seed: int
) -> Case:
    received = timezone.now() - timedelta(hours=plan.hours_ago)
    case = open_case(
        actor=technician,
        patient=patient,
        order=OrderDetails(
            priority=plan.priority,
            ordering_clinician="Dr. M. Rossi",
            wbc_count=plan.wbc_count,
            wbc_measured_at=received if plan.wbc_count else None,
        ),
        specimen=SpecimenDetails(
            collected_at=received - timedelta(minutes=40), received_at=received
        ),
    )
    taken = _take_in(case, technician, _pictures(plan, images, seed))
    if plan.is_submitted and taken:
        submit_case(case_id=case.pk, actor=technician)
    return case


def _fill_reference_library() -> None:
    for cell_type, data in pictures.rendered_references():
        import_picture(data=data, cell_type=cell_type, provenance=DRAWN, actor=User.system())


def _pictures(plan: DemoCase, images: Path | None, seed: int) -> Iterable[pictures.Picture]:
    if plan.of_fields:
        return pictures.rendered_fields(plan.images, seed=seed)
    if images:
        return pictures.from_folder(images, plan.images, seed=seed)
    return pictures.rendered(plan.images, seed=seed)


def _take_in(case: Case, technician: User, files: Iterable[pictures.Picture]) -> int:
    """Add what the laboratory accepts; a folder of the user's may hold anything."""
    taken = 0
    for name, data in files:
        try:
            add_image(case_id=case.pk, actor=technician, data=data, file_name=name)
        except ImageRefused:
            continue
        taken += 1
    return taken
