"""A review ends without a signature: released, returned or rejected."""

from collections.abc import Callable

import pytest

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import DomainError, GuardFailed
from classifier.models import Case, Prediction, Review
from classifier.selectors.differential import list_marks
from classifier.services import reviews
from tests.reviewing import Correct, MakeCase, human_marks


def test_release_gives_the_case_back_with_what_was_named(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "blast")
    reviews.release(case_id=case.pk, actor=pathologist)
    case.refresh_from_db()
    assert case.status == CaseStatus.AWAITING_REVIEW
    assert Review.objects.get().outcome == ReviewOutcome.RELEASED
    assert human_marks(case) == ["blast"]


def test_an_administrator_can_release_what_somebody_left_open(
    classified_case: MakeCase, administrator: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    reviews.release(case_id=case.pk, actor=administrator)
    assert Review.objects.get().completed_at is not None


def test_return_needs_a_reason(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(GuardFailed, match="reason"):
        reviews.return_to_technician(case_id=case.pk, actor=pathologist, reason=" ")
    assert Review.objects.get().completed_at is None


def test_a_returned_case_keeps_its_predictions_and_marks(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    correct(case, [1], "blast")
    reviews.return_to_technician(case_id=case.pk, actor=pathologist, reason="Too few cells.")
    case.refresh_from_db()
    assert (case.status, case.status_reason) == (CaseStatus.REGISTERED, "Too few cells.")
    assert Review.objects.get().outcome == ReviewOutcome.RETURNED
    assert [mark.finding for mark in list_marks(case)].count("blast") == 1
    assert Prediction.objects.count() == 2


def test_reject_ends_review_and_case(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    reviews.reject(case_id=case.pk, actor=pathologist, reason="Clotted.")
    case.refresh_from_db()
    assert case.status == CaseStatus.REJECTED
    assert Review.objects.get().outcome == ReviewOutcome.REJECTED


def test_a_technician_rejects_before_review_opens(
    classified_case: MakeCase, technician: User
) -> None:
    case = classified_case(["neutrophil"])
    reviews.reject(case_id=case.pk, actor=technician, reason="Wrong tube.")
    case.refresh_from_db()
    assert case.status == CaseStatus.REJECTED


@pytest.mark.parametrize("step", [reviews.release, reviews.withdraw_amendment])
def test_a_refused_step_changes_nothing(
    classified_case: MakeCase, pathologist: User, step: Callable[..., Case]
) -> None:
    case = classified_case(["neutrophil"])
    before = AuditEvent.objects.count()
    with pytest.raises(DomainError):
        step(case_id=case.pk, actor=pathologist)
    assert AuditEvent.objects.count() == before
