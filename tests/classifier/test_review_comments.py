"""The comment of a review is kept with its history and never overwritten unseen."""

import pytest

from accounts.models import AuditEvent, User
from classifier.exceptions import EditConflict, GuardFailed
from classifier.models import Review
from classifier.services import reviews
from tests.reviewing import MakeCase, comment_on


def test_saves_the_comment_with_its_history(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    comment_on(case, pathologist, "Normal film.\r\nNo blasts. ")
    assert Review.objects.get().comment == "Normal film.\nNo blasts."
    event = AuditEvent.objects.get(action="review.comment_changed")
    assert event.after == {"comment": "Normal film.\nNo blasts."}


def test_a_comment_is_never_overwritten_unseen(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    comment_on(case, pathologist, "From the first window.")
    with pytest.raises(EditConflict, match="changed elsewhere"):
        comment_on(case, pathologist, "From the second window.")
    assert Review.objects.get().comment == "From the first window."
    comment_on(case, pathologist, "Both.", over="From the first window.")


def test_saving_the_same_comment_again_is_harmless(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    for _ in range(2):
        comment_on(case, pathologist, "Normal film.")
    assert AuditEvent.objects.filter(action="review.comment_changed").count() == 1


def test_refuses_an_endlesscomment_on(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(GuardFailed, match="longer than"):
        comment_on(case, pathologist, "x" * (reviews.COMMENT_LIMIT + 1))
