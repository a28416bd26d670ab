"""Opening a review claims the case for one pathologist."""

import threading

import pytest
from django.db import close_old_connections, connection

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import NotPermitted, TransitionRefused
from classifier.models import Case, Review
from classifier.services import reviews
from tests.reviewing import MakeCase, comment_on


def test_opening_claims_the_case(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"])
    review = reviews.open_review(case_id=case.pk, actor=pathologist)
    case.refresh_from_db()
    assert case.status == CaseStatus.IN_REVIEW
    assert review.reviewer == pathologist
    assert AuditEvent.objects.get(action="case.open_review").actor == pathologist


def test_opening_again_is_harmless(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"])
    first = reviews.open_review(case_id=case.pk, actor=pathologist)
    assert reviews.open_review(case_id=case.pk, actor=pathologist) == first
    assert Review.objects.count() == 1


def test_a_second_reviewer_hears_who_has_the_case(
    classified_case: MakeCase, colleague: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(TransitionRefused, match="Paul Pathologist, MD has this case open since"):
        reviews.open_review(case_id=case.pk, actor=colleague)


def test_the_submitter_cannot_review(classified_case: MakeCase, colleague: User) -> None:
    case = classified_case(["neutrophil"])
    Case.objects.filter(pk=case.pk).update(submitted_by=colleague)
    with pytest.raises(NotPermitted):
        reviews.open_review(case_id=case.pk, actor=colleague)


def test_a_technician_cannot_review(classified_case: MakeCase, technician: User) -> None:
    case = classified_case(["neutrophil"])
    with pytest.raises(NotPermitted):
        reviews.open_review(case_id=case.pk, actor=technician)
    assert not Review.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_open_at_once_one_wins(
    classified_case: MakeCase, pathologist: User, colleague: User
) -> None:
    case = classified_case(["neutrophil"])
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def claim(actor: User) -> None:
        close_old_connections()
        barrier.wait()
        try:
            reviews.open_review(case_id=case.pk, actor=actor)
            outcomes.append("won")
        except TransitionRefused as refusal:
            outcomes.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=[one]) for one in (pathologist, colleague)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = Review.objects.get().reviewer
    assert "won" in outcomes
    assert any(outcome.startswith(winner.name_with_title) for outcome in outcomes)


def test_the_comment_goes_on_where_the_last_review_left_it(
    classified_case: MakeCase, pathologist: User, colleague: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    comment_on(case, pathologist, "Left shift.")
    reviews.release(case_id=case.pk, actor=pathologist)
    assert reviews.open_review(case_id=case.pk, actor=colleague).comment == "Left shift."
