"""Fixtures: cases as the classifier leaves them, and a reviewer's steps on them."""

import uuid
from collections.abc import Callable, Sequence

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus, RunStatus
from classifier.models import Case, Cell, ClassificationRun, ModelVersion, Prediction, SmearImage
from classifier.services import corrections, reviews
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from tests.clinical import MakeImage

MakeCase = Callable[..., Case]


@pytest.fixture
def active_model(technician: User) -> ModelVersion:
    """A registered, active classifier."""
    return ModelVersion.objects.create(
        name="fake",
        version="0.0.0",
        sha256="0" * 64,
        class_names=list(CELL_CLASSES),
        is_active=True,
        approved_by=User.system(),
    )


def cells_of(case: Case) -> list[Cell]:
    """Return the cells of a case in the order in which their pictures were added."""
    return list(Cell.objects.filter(image__case=case).order_by("image__uploaded_at", "image_id"))


def read_image(image: SmearImage, model: ModelVersion, answer: str) -> ClassificationRun:
    """Record a finished run: ``answer`` is a class, "unidentified" (referred) or "" (failed)."""
    now = timezone.now()
    run = ClassificationRun.objects.create(
        image=image,
        model_version=model,
        status=RunStatus.SUCCEEDED if answer else RunStatus.FAILED,
        attempt=1,
        started_at=now,
        finished_at=now,
        error_message="" if answer else "The picture could not be read.",
    )
    if answer:
        confidence = 0.4 if answer == UNIDENTIFIED else 0.97
        top = "monocyte" if answer == UNIDENTIFIED else answer
        rest = (1 - confidence) / (len(CELL_CLASSES) - 1)
        Prediction.objects.create(
            run=run,
            cell=image.cells.get(),
            cell_type=answer,
            confidence=confidence,
            probabilities=dict.fromkeys(CELL_CLASSES, rest) | {top: confidence},
            is_referred=answer == UNIDENTIFIED,
        )
    return run


@pytest.fixture
def classified_case(
    case: Case,
    technician: User,
    pathologist: User,
    add_picture: MakeImage,
    active_model: ModelVersion,
) -> MakeCase:
    """Return a maker of a case awaiting review whose cells were read as the answers say."""

    def make(answers: Sequence[str], *, in_review: bool = False) -> Case:
        for answer in answers:
            read_image(add_picture(case), active_model, answer)
        Case.objects.filter(pk=case.pk).update(
            status=CaseStatus.AWAITING_REVIEW,
            submitted_by=technician,
            submitted_at=timezone.now(),
        )
        if in_review:
            reviews.open_review(case_id=case.pk, actor=pathologist)
        case.refresh_from_db()
        return case

    return make


@pytest.fixture
def correct(pathologist: User) -> Callable[..., corrections.Action]:
    """Name cells of a case by their place, as the pathologist."""

    def name(case: Case, places: Sequence[int], cell_type: str) -> corrections.Action:
        cells = cells_of(case)
        return corrections.correct_cells(
            case_id=case.pk,
            actor=pathologist,
            cell_ids=[cells[place].pk for place in places],
            cell_type=cell_type,
            action_id=uuid.uuid4(),
        )

    return name
