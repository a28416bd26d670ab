"""Earlier signed reports of a demonstration patient, made through the services people use.

They give previous results, trend and delta check something to show. The pictures are drawn; what
each shows is known, so the pathologist names every cell for what it is.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case, Cell, Patient
from classifier.services import cases, reviews
from classifier.services.classification import classify_waiting_runs
from classifier.services.corrections import correct_cells
from classifier.services.images import add_image
from classifier.services.transitions import transition
from demo import pictures
from demo.people import PASSWORD
from reports.drafting import draft_report
from reports.enums import ReauthenticationMethod, SignatureMeaning
from reports.exceptions import WrongPassword
from reports.models import Report
from reports.services.reauthentication import Reauthentication
from reports.services.sign_off import Intent, sign_off_case

COMMENT = "Earlier result, made for the demonstration."
BY_EYE = "The demonstration reads without the classifier."


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """A report to be signed: how long ago the blood was taken, and what it held."""

    hours_ago: int
    wbc_count: Decimal
    cells: Mapping[str, int]


EARLIER = (
    EarlierReport(
        24 * 184,
        Decimal("6.80"),
        {"neutrophil": 4, "lymphocyte": 3, "monocyte": 1},
    ),
    EarlierReport(
        24 * 91,
        Decimal("7.40"),
        {"neutrophil": 5, "lymphocyte": 2, "eosinophil": 1},
    ),
    EarlierReport(
        41,
        Decimal("9.60"),
        {"neutrophil": 6, "lymphocyte": 1, "monocyte": 1},
    ),
)
"""Few cells each, for the start's sake; the last lies within the 72 hours of the delta check."""


def sign_earlier_reports(patient: Patient, *, technician: User, pathologist: User) -> list[Report]:
    """Take in, have read, review and sign one case after the other, the oldest first."""
    return [
        _sign(
            _review(_take_in(each, patient, technician, seed=number), each, pathologist),
            pathologist,
        )
        for number, each in enumerate(EARLIER, start=1)
    ]


def _take_in(earlier: EarlierReport, patient: Patient, technician: User, *, seed: int) -> Case:
    received = timezone.now() - timedelta(hours=earlier.hours_ago)
    case = cases.open_case(
        actor=technician,
        patient=patient,
        order=cases.OrderDetails(
            ordering_clinician="Dr. M. Rossi",
            wbc_count=earlier.wbc_count,
            wbc_measured_at=received,
        ),
        specimen=cases.SpecimenDetails(
            collected_at=received - timedelta(minutes=40), received_at=received
        ),
    )
    for name, data in pictures.rendered_cells(earlier.cells, seed=7_000 + seed):
        add_image(case_id=case.pk, actor=technician, data=data, file_name=name)
    cases.submit_case(case_id=case.pk, actor=technician)
    classify_waiting_runs(worker="demo")
    case.refresh_from_db()
    if case.status == CaseStatus.CLASSIFICATION_FAILED:
        transition(case_id=case.pk, name="review_manually", actor=technician, reason=BY_EYE)
    return case


def _review(case: Case, earlier: EarlierReport, pathologist: User) -> Case:
    review = reviews.open_review(case_id=case.pk, actor=pathologist)
    cells = list(Cell.objects.filter(image__case=case))
    for cell_type, count in earlier.cells.items():
        named, cells = cells[:count], cells[count:]
        correct_cells(
            case_id=case.pk,
            actor=pathologist,
            cell_ids=[cell.pk for cell in named],
            cell_type=cell_type,
            action_id=uuid.uuid4(),
        )
    revision = reviews.revision_of(review.comment)
    reviews.set_comment(case_id=case.pk, actor=pathologist, text=COMMENT, revision=revision)
    return Case.objects.get(pk=case.pk)


def _sign(case: Case, pathologist: User) -> Report:
    draft = draft_report(case)
    return sign_off_case(
        case_id=case.pk,
        actor=pathologist,
        intent=Intent(SignatureMeaning.APPROVAL, draft.draft_sha256),
        reauthentication=_proof_of(pathologist),
    )


def _proof_of(pathologist: User) -> Reauthentication:
    """Prove the password as signing wants it; the usual way counts attempts of its own accord.

    That needs a transaction to itself, while the demonstration is made in one or not at all.
    """
    if not pathologist.check_password(PASSWORD):
        raise WrongPassword("The password is not right. Nothing was signed.")
    return Reauthentication(pathologist.pk, ReauthenticationMethod.PASSWORD, timezone.now())
