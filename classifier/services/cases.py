"""Opening, submitting and retrying cases."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import accession, policies
from classifier.enums import Priority, SpecimenCondition, SpecimenType, Stain
from classifier.exceptions import InvalidSpecimen, NotPermitted
from classifier.models import Case, Patient, Specimen
from classifier.services import runs
from classifier.services.patients import lock_standing
from classifier.services.transitions import transition

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class SpecimenDetails:
    """The specimen as received: collected ≤ received ≤ now."""

    collected_at: datetime
    received_at: datetime
    specimen_type: str = SpecimenType.EDTA_BLOOD
    stain: str = Stain.MAY_GRUNWALD_GIEMSA
    condition: str = SpecimenCondition.SATISFACTORY
    condition_note: str = ""


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """What was asked for, by whom, and what the analyser already knows (WBC in 10⁹/L)."""

    priority: str = Priority.ROUTINE
    ordering_clinician: str = ""
    clinical_details: str = ""
    wbc_count: Decimal | None = None
    wbc_measured_at: datetime | None = None
    wbc_excludes_erythroblasts: bool = False


@transaction.atomic
def open_case(
    *, actor: "User", patient: Patient, order: OrderDetails, specimen: SpecimenDetails
) -> Case:
    """Open a case under the next accession number.

    It is opened for the record that stands for the patient, also if that changes meanwhile.

    Raises:
        NotPermitted: the actor doesn't register cases.
        InvalidSpecimen: the dates contradict each other or lie in the future.
    """
    if not policies.can_register_patient(actor):
        raise NotPermitted("You may not open cases.")
    patient = lock_standing(patient.pk)
    check_specimen_dates(specimen, patient)
    case = Case.objects.create(
        accession_number=accession.allocate(timezone.localdate()),
        patient=patient,
        registered_by=actor,
        **asdict(order),
    )
    Specimen.objects.create(case=case, **asdict(specimen))
    record(
        actor=actor,
        action="case.registered",
        target=case,
        after={"accession_number": case.accession_number, "priority": case.priority},
        patient=patient.pk,
    )
    return case


@transaction.atomic
def submit_case(*, case_id: uuid.UUID, actor: "User") -> Case:
    """Freeze the images and hand them to the classifier."""
    case = transition(case_id=case_id, name="submit", actor=actor)
    runs.queue_runs(case)
    return case


@transaction.atomic
def take_back(*, case_id: uuid.UUID, actor: "User") -> Case:
    """Open a submitted case that nobody reviews yet for more images; what was read stays."""
    return transition(case_id=case_id, name="take_back", actor=actor)


@transaction.atomic
def retry_classification(*, case_id: uuid.UUID, actor: "User") -> Case:
    """Classify again the images whose latest run failed."""
    case = transition(case_id=case_id, name="retry", actor=actor)
    runs.queue_runs(case)
    return case


def check_specimen_dates(specimen: SpecimenDetails, patient: Patient) -> None:
    """Hold the specimen's times against each other, the present and the patient's birth.

    Raises:
        InvalidSpecimen: they contradict.
    """
    if specimen.collected_at > specimen.received_at:
        raise InvalidSpecimen("The specimen can't have been received before it was collected.")
    if specimen.received_at > timezone.now():
        raise InvalidSpecimen("The specimen can't have been received in the future.")
    check_born_before(specimen.collected_at, patient)


def check_born_before(collected_at: datetime, patient: Patient) -> None:
    """Hold the time of collection against the patient's birth.

    Raises:
        InvalidSpecimen: nobody was born yet.
    """
    if collected_at.date() < patient.birth_date:
        raise InvalidSpecimen("The specimen can't have been collected before the patient's birth.")
