"""Cases of many cells without a picture each, read by the machine and by blind readers."""

import uuid
from collections.abc import Callable, Sequence

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus, CellOrigin, RunStatus
from classifier.models import (
    Case,
    Cell,
    ClassificationRun,
    ModelVersion,
    Patient,
    Prediction,
    ReferenceMark,
    ReferenceStudy,
    SmearImage,
)
from classifier.services import reference_counts
from classifier.services.cases import OrderDetails, open_case
from ml.classes import UNIDENTIFIED
from tests.clinical import MakeImage, recent_specimen

MakeManyCells = Callable[[Sequence[str]], Case]


@pytest.fixture
def case_of(
    technician: User, patient: Patient, add_picture: MakeImage, active_model: ModelVersion
) -> MakeManyCells:
    """Return a maker of a case awaiting review whose cells the machine called so."""

    def make(answers: Sequence[str]) -> Case:
        case = open_case(
            actor=technician, patient=patient, order=OrderDetails(), specimen=recent_specimen()
        )
        read_cells(add_picture(case), active_model, answers)
        Case.objects.filter(pk=case.pk).update(
            status=CaseStatus.AWAITING_REVIEW,
            submitted_by=technician,
            submitted_at=timezone.now(),
        )
        case.refresh_from_db()
        return case

    return make


def read_cells(image: SmearImage, model: ModelVersion, answers: Sequence[str]) -> None:
    """Find cells on a picture, besides that of the whole of it, and have them called so."""
    image.cells.update(at_edge=True)
    cells = Cell.objects.bulk_create(
        Cell(
            image=image, x0=0, y0=0, x1=48, y1=48 + number % 16, origin=CellOrigin.MACHINE,
            detection_confidence=1 - number / 1000,
        )
        for number in range(len(answers))
    )  # fmt: skip
    now = timezone.now()
    run = ClassificationRun.objects.create(
        image=image, model_version=model, status=RunStatus.SUCCEEDED, attempt=1, started_at=now,
        finished_at=now,
    )  # fmt: skip
    Prediction.objects.bulk_create(
        Prediction(
            run=run, cell=cell, cell_type=answer, confidence=0.9, probabilities={answer: 0.9},
            is_referred=answer == UNIDENTIFIED,
        )
        for cell, answer in zip(cells, answers, strict=True)
    )  # fmt: skip


def cells_in_order(case: Case) -> list[Cell]:
    """The cells that the maker was given answers for, in their order."""
    return list(
        Cell.objects.filter(image__case=case, at_edge=False).order_by("-detection_confidence")
    )


def count_blind(
    case: Case, opener: User, readings: Sequence[tuple[User, Sequence[str]]]
) -> ReferenceStudy:
    """Have the cells of a case read blind; the third reading, if any, is the arbiter's."""
    study = reference_counts.open_study(case_id=case.pk, actor=opener)
    for reader, names in readings:
        read_as(study, reader, names)
    study.refresh_from_db()
    return study


def read_as(study: ReferenceStudy, reader: User, names: Sequence[str]) -> None:
    """Take a seat, call every cell to read so (by the cells' order in the case), complete it."""
    reading = reference_counts.start_reading(study_id=study.pk, actor=reader)
    by_cell = dict(zip((cell.pk for cell in cells_in_order(study.case)), names, strict=True))
    ReferenceMark.objects.bulk_create(
        ReferenceMark(
            reading=reading, cell=each, cell_type=by_cell[each.cell_id], action_id=uuid.uuid4()
        )
        for each in reference_counts.cells_to_read(reading)
    )
    reference_counts.complete_reading(study_id=study.pk, actor=reader)
