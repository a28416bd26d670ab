"""Undoing takes back one step of the own review at a time."""

import uuid

import pytest

from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed
from classifier.models import Correction
from classifier.services import corrections, reviews
from tests.reviewing import Correct, MakeCase, accept, human_marks, undo


def test_undo_restores_each_cells_own_state(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "lymphocyte", "monocyte"], in_review=True)
    correct(case, [0], "basophil")
    correct(case, [0, 1], "blast")
    assert len(undo(case, pathologist).cell_ids) == 2
    assert human_marks(case) == ["basophil", "", ""]
    undo(case, pathologist)
    assert human_marks(case) == ["", "", ""]
    with pytest.raises(GuardFailed, match="nothing to undo"):
        undo(case, pathologist)


def test_undo_goes_on_after_a_new_step(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "basophil")
    undo(case, pathologist)
    correct(case, [0], "blast")
    undo(case, pathologist)
    assert human_marks(case) == [""]
    with pytest.raises(GuardFailed):
        undo(case, pathologist)


def test_undo_adds_rows_and_removes_none(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    action = correct(case, [0], "basophil")
    undo(case, pathologist)
    last = Correction.objects.order_by("-pk")[0]
    assert Correction.objects.count() == 2
    assert (last.is_withdrawn, last.undoes) == (True, action.action_id)
    assert AuditEvent.objects.filter(action="review.undone").count() == 1


def test_a_repeated_undo_takes_back_one_step_only(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    correct(case, [0], "basophil")
    correct(case, [1], "basophil")
    action_id = uuid.uuid4()
    for _ in range(2):
        corrections.undo_last(case_id=case.pk, actor=pathologist, action_id=action_id)
    assert human_marks(case) == ["basophil", ""]


def test_undo_does_not_reach_into_an_earlier_review(
    classified_case: MakeCase, correct: Correct, pathologist: User, colleague: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "basophil")
    reviews.release(case_id=case.pk, actor=pathologist)
    reviews.open_review(case_id=case.pk, actor=colleague)
    with pytest.raises(GuardFailed):
        undo(case, colleague)
    accept(case, [0], colleague)
    undo(case, colleague)
    assert human_marks(case) == ["basophil"]
