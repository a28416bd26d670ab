"""Undoing and redoing steps of a review."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed
from classifier.models import Case, Correction
from classifier.services import corrections, reviews
from tests.reviewing import MakeCase, human_marks


@pytest.fixture
def open_case(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil", "lymphocyte", "monocyte"], in_review=True)


@pytest.fixture
def step(pathologist: User) -> Callable[[Case, str], Any]:
    """Take "undo" or "redo" as the reviewer."""

    def take(case: Case, name: str) -> Any:
        service = {"undo": corrections.undo_last, "redo": corrections.redo_last}[name]
        return service(case_id=case.pk, actor=pathologist, action_id=uuid.uuid4())

    return take


Step = Callable[[Case, str], Any]
Correct = Callable[..., Any]


def test_redo_restores_what_undo_took_back(open_case: Case, correct: Correct, step: Step) -> None:
    correct(open_case, [0, 1], "blast")
    step(open_case, "undo")
    assert human_marks(open_case) == ["", "", ""]
    assert len(step(open_case, "redo").cell_ids) == 2
    assert human_marks(open_case) == ["blast", "blast", ""]
    assert AuditEvent.objects.get(action="review.redone").target_id == str(open_case.pk)


def test_steps_go_back_and_forth_in_order(open_case: Case, correct: Correct, step: Step) -> None:
    correct(open_case, [0], "basophil")
    correct(open_case, [0, 1], "blast")
    states = [human_marks(open_case)]
    for name in ("undo", "undo", "redo", "redo", "undo", "redo", "undo", "undo"):
        step(open_case, name)
        states.append(human_marks(open_case))
    both, one, none = ["blast", "blast", ""], ["basophil", "", ""], ["", "", ""]
    assert states == [both, one, none, one, both, one, both, one, none]
    with pytest.raises(GuardFailed, match="nothing to undo"):
        step(open_case, "undo")


def test_a_new_step_ends_what_can_be_redone(open_case: Case, correct: Correct, step: Step) -> None:
    correct(open_case, [0], "basophil")
    step(open_case, "undo")
    correct(open_case, [1], "blast")
    with pytest.raises(GuardFailed, match="nothing to redo"):
        step(open_case, "redo")
    step(open_case, "undo")
    step(open_case, "redo")
    assert human_marks(open_case) == ["", "blast", ""]


def test_a_step_of_another_review_is_not_redone(
    open_case: Case, correct: Correct, step: Step, pathologist: User
) -> None:
    correct(open_case, [0], "basophil")
    step(open_case, "undo")
    reviews.release(case_id=open_case.pk, actor=pathologist)
    reviews.open_review(case_id=open_case.pk, actor=pathologist)
    with pytest.raises(GuardFailed, match="nothing to redo"):
        step(open_case, "redo")


def test_a_repeated_request_changes_nothing_more(
    open_case: Case, correct: Correct, step: Step, pathologist: User
) -> None:
    correct(open_case, [0], "basophil")
    correct(open_case, [1], "blast")
    step(open_case, "undo")
    step(open_case, "undo")
    request: dict[str, Any] = {
        "case_id": open_case.pk,
        "actor": pathologist,
        "action_id": uuid.uuid4(),
    }
    assert corrections.redo_last(**request).cell_ids == corrections.redo_last(**request).cell_ids
    assert human_marks(open_case) == ["basophil", "", ""]
    assert AuditEvent.objects.filter(action="review.redone").count() == 1


def test_rows_are_only_added(open_case: Case, correct: Correct, step: Step) -> None:
    correct(open_case, [0], "basophil")
    before = list(Correction.objects.values())
    step(open_case, "undo")
    step(open_case, "redo")
    assert list(Correction.objects.values())[:1] == before
    assert Correction.objects.count() == 3


def test_plain_forms_undo_and_redo(
    open_case: Case, correct: Correct, pathologist: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(pathologist)
    page = reverse("classifier:review", args=[open_case.pk])
    correct(open_case, [0], "basophil")
    assert not client.get(page).context["can_redo"]
    client.post(reverse("classifier:review_undo", args=[open_case.pk]), {"action_id": uuid.uuid4()})
    assert client.get(page).context["can_redo"]
    client.post(reverse("classifier:review_redo", args=[open_case.pk]), {"action_id": uuid.uuid4()})
    assert human_marks(open_case) == ["basophil", "", ""]
