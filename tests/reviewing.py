"""Fixtures: cases as the classifier leaves them, and a reviewer's steps on them."""

import uuid
from collections.abc import Callable, Sequence

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus, RunStatus
from classifier.models import (
    Case,
    Cell,
    ClassificationRun,
    ModelVersion,
    Prediction,
    Review,
    SmearImage,
)
from classifier.selectors.cells import list_cells
from classifier.services import corrections, marking, reviews
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from tests.clinical import MakeImage

MakeCase = Callable[..., Case]
Correct = Callable[..., marking.Action]


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
            candidates=["monocyte", "lymphocyte"] if answer == UNIDENTIFIED else [answer],
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
def correct(pathologist: User) -> Correct:
    """Name cells of a case by their place, as the pathologist."""

    def name(case: Case, places: Sequence[int], cell_type: str) -> marking.Action:
        cells = cells_of(case)
        return corrections.correct_cells(
            case_id=case.pk,
            actor=pathologist,
            cell_ids=[cells[place].pk for place in places],
            cell_type=cell_type,
            action_id=uuid.uuid4(),
        )

    return name


def human_marks(case: Case) -> list[str]:
    """Return the human mark of each cell, in the order of the pictures."""
    marks = {cell.id: cell.mark.human_type for cell in list_cells(case)}
    return [marks[cell.pk] for cell in cells_of(case)]


def undo(case: Case, actor: User) -> marking.Action:
    return corrections.undo_last(case_id=case.pk, actor=actor, action_id=uuid.uuid4())


def accept(case: Case, places: list[int], actor: User) -> marking.Action:
    cells = cells_of(case)
    return corrections.accept_cells(
        case_id=case.pk,
        actor=actor,
        cell_ids=[cells[place].pk for place in places],
        action_id=uuid.uuid4(),
    )


def comment_on(case: Case, actor: User, text: str, over: str = "") -> Review:
    return reviews.set_comment(
        case_id=case.pk, actor=actor, text=text, revision=reviews.revision_of(over)
    )
