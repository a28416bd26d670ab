"""Amending a signed case, and withdrawing the amendment."""

import pytest
from django.db import transaction

from accounts.models import User
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import GuardFailed, TransitionRefused
from classifier.models import Case, Review
from classifier.services import reviews
from classifier.services.transitions import transition
from tests.reviewing import Correct, MakeCase, undo


@pytest.fixture
def signed_case(classified_case: MakeCase, pathologist: User) -> Case:
    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    with transaction.atomic():
        transition(case_id=case.pk, name="sign_off", actor=pathologist)
        review = reviews.close_review(case=case, outcome=ReviewOutcome.SIGNED)
    review.comment = "Normal film."
    review.save(update_fields=["comment"])
    case.refresh_from_db()
    return case


def test_an_amendment_starts_from_what_was_signed(signed_case: Case, colleague: User) -> None:
    review = reviews.amend(case_id=signed_case.pk, actor=colleague, reason="Blasts overlooked.")
    signed_case.refresh_from_db()
    assert signed_case.status == CaseStatus.AMENDING
    assert (review.reviewer, review.comment) == (colleague, "Normal film.")


def test_amending_needs_a_reason(signed_case: Case, pathologist: User) -> None:
    with pytest.raises(GuardFailed, match="reason"):
        reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="")


def test_an_amendment_without_changes_can_be_withdrawn(
    signed_case: Case, pathologist: User, correct: Correct
) -> None:
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Look again.")
    correct(signed_case, [0], "blast")
    with pytest.raises(GuardFailed, match="undo the changes first"):
        reviews.withdraw_amendment(case_id=signed_case.pk, actor=pathologist)
    undo(signed_case, pathologist)
    reviews.withdraw_amendment(case_id=signed_case.pk, actor=pathologist)
    signed_case.refresh_from_db()
    assert signed_case.status == CaseStatus.SIGNED_OFF
    assert not Review.objects.filter(completed_at=None).exists()


def test_a_second_pathologist_cannot_amend_at_the_same_time(
    signed_case: Case, pathologist: User, colleague: User
) -> None:
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Look again.")
    with pytest.raises(TransitionRefused):
        reviews.amend(case_id=signed_case.pk, actor=colleague, reason="Me too.")
