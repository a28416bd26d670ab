"""What a case must fulfil before it moves, and the sentence that says what is missing."""

import uuid
from collections.abc import Callable

import pytest

from accounts.models import User
from classifier import guards
from classifier.enums import RunStatus
from classifier.models import Case, ClassificationRun, Correction, ModelVersion
from classifier.services import corrections, marking, reviews
from tests.clinical import MakeImage
from tests.reviewing import MakeCase, read_image

Correct = Callable[..., marking.Action]


def test_a_case_needs_an_image(case: Case, add_picture: MakeImage) -> None:
    assert guards.has_usable_image(case) == "Upload at least one image before submitting the case."
    add_picture(case)
    assert guards.has_usable_image(case) is None


def test_classification_is_complete_when_every_latest_run_succeeded(
    case: Case, add_picture: MakeImage, active_model: ModelVersion
) -> None:
    assert guards.every_run_succeeded(case)
    first, second = add_picture(case), add_picture(case)
    read_image(first, active_model, "neutrophil")
    read_image(second, active_model, "")
    assert guards.every_run_succeeded(case) == "Not every image has been classified."
    read_image(second, active_model, "neutrophil")
    assert guards.every_run_succeeded(case) is None


def test_classification_has_failed_when_all_ended_and_one_failed(
    case: Case, add_picture: MakeImage, active_model: ModelVersion
) -> None:
    first, second = add_picture(case), add_picture(case)
    read_image(first, active_model, "")
    waiting = ClassificationRun.objects.create(image=second, model_version=active_model)
    assert guards.every_run_ended_with_a_failure(case) == "Images are still being classified."
    ClassificationRun.objects.filter(pk=waiting.pk).update(status=RunStatus.SUCCEEDED)
    assert guards.every_run_ended_with_a_failure(case) is None
    read_image(first, active_model, "neutrophil")
    assert guards.every_run_ended_with_a_failure(case) == "No image failed."


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (["neutrophil"], None),
        (["unidentified"], "1 referred cell is still without a reviewer's decision."),
        (["unidentified", ""], "2 referred cells are still without a reviewer's decision."),
    ],
)
def test_referred_and_unread_cells_wait_for_a_human(
    classified_case: MakeCase, answers: list[str], sentence: str | None
) -> None:
    assert guards.referred_cells_resolved(classified_case(answers)) == sentence


def test_a_named_cell_is_resolved_until_the_name_is_taken_back(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["unidentified"], in_review=True)
    correct(case, [0], "blast")
    assert guards.referred_cells_resolved(case) is None
    corrections.undo_last(case_id=case.pk, actor=pathologist, action_id=uuid.uuid4())
    assert guards.referred_cells_resolved(case)


def test_what_was_undone_is_no_change(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    correct(case, [0], "blast")
    reviews.release(case_id=case.pk, actor=pathologist)
    reviews.open_review(case_id=case.pk, actor=pathologist)
    assert guards.nothing_corrected_in_open_review(case) is None
    correct(case, [0], "monocyte")
    assert guards.nothing_corrected_in_open_review(case)
    correct(case, [0], "blast")
    assert guards.nothing_corrected_in_open_review(case) is None
    correct(case, [1], "monocyte")
    assert guards.nothing_corrected_in_open_review(case)
    corrections.undo_last(case_id=case.pk, actor=pathologist, action_id=uuid.uuid4())
    assert guards.nothing_corrected_in_open_review(case) is None
    assert Correction.objects.count() == 5
