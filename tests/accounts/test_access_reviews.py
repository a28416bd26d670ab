"""Reviews of who may do what: opened, decided line by line, finished, told when overdue."""

import csv
import io
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.access_reviews import decide, export, finish, list_lines, open_review, tell_overdue
from accounts.enums import Role
from accounts.exceptions import NotPermitted, OwnAccount, ReasonMissing, WrongState
from accounts.models import AccessDecision, AccessReview, AccessReviewLine, AuditEvent, User
from accounts.own_duties import set_exception
from notifications.models import Notice
from tests.browsing import SignIn
from tests.factories import UserFactory
from tests.pages import words_of

WHY = "Spoke with the head of the laboratory."


@pytest.fixture
def review(technician: User, administrator: User) -> AccessReview:
    """An open review, in which one technician holds one duty more."""
    set_exception(
        actor=administrator, user=technician, duty="export_reports", is_granted=True, reason="x"
    )
    return begin(administrator)


def begin(actor: User, days: int = 14) -> AccessReview:
    due = timezone.localdate() + timedelta(days=days)
    return open_review(actor=actor, review_id=uuid.uuid4(), due_on=due)


def line_of(review: AccessReview, user: User) -> AccessReviewLine:
    return list_lines(review).get(user=user)


def say(review: AccessReview, actor: User, *users: User, reason: str = WHY) -> int:
    chosen = [line_of(review, user).pk for user in users]
    return decide(actor=actor, review=review, line_ids=chosen, verdict="confirmed", reason=reason)


def finished(review: AccessReview, actor: User) -> AccessReview:
    for line in review.lines.all():
        AccessDecision.objects.create(
            line=line, verdict="confirmed", reason=WHY, decided_by=actor, decider_name="x"
        )
    due = timezone.localdate() + timedelta(days=90)
    return finish(actor=actor, review=review, next_due_on=due)


def test_a_review_writes_down_every_account_as_it_stands(
    review: AccessReview, technician: User, administrator: User
) -> None:
    line = line_of(review, technician)
    assert (line.role, line.given, line.withheld) == ("technician", ["export_reports"], [])
    assert "submit_case" in line.duties
    assert not line.has_second_factor
    assert set(review.lines.values_list("user", flat=True)) == {technician.pk, administrator.pk}


def test_opening_again_is_harmless_and_one_is_open_at_a_time(
    review: AccessReview, administrator: User
) -> None:
    again = open_review(actor=administrator, review_id=review.pk, due_on=review.due_on)
    assert again == review
    with pytest.raises(WrongState, match="Another"):
        begin(administrator)


def test_each_account_is_decided_with_a_name_and_a_reason(
    review: AccessReview, technician: User, administrator: User
) -> None:
    with pytest.raises(ReasonMissing):
        say(review, administrator, technician, reason=" ")
    say(review, administrator, technician)
    decision = AccessDecision.objects.get()
    assert (decision.decider_name, decision.reason) == ("Ada Administrator", WHY)
    event = AuditEvent.objects.get(action="access_review.decided")
    assert (event.after or {})["accounts"] == [technician.email]


def test_nobody_reviews_themselves_while_there_is_another(
    review: AccessReview, administrator: User
) -> None:
    assert say(review, administrator, administrator) == 1
    UserFactory.create(role=Role.ADMINISTRATOR)
    with pytest.raises(OwnAccount):
        say(review, administrator, administrator)


def test_only_those_who_manage_accounts_review(
    review: AccessReview, technician: User, pathologist: User
) -> None:
    with pytest.raises(NotPermitted):
        say(review, pathologist, technician)


def test_a_review_is_finished_when_no_account_is_left_and_stays_so(
    review: AccessReview, technician: User, administrator: User
) -> None:
    say(review, administrator, technician)
    with pytest.raises(WrongState, match="nobody reviewed yet: 1"):
        finish(actor=administrator, review=review, next_due_on=timezone.localdate())
    finished(review, administrator)
    with pytest.raises(WrongState, match="finished"):
        say(review, administrator, technician)
    for rows in (AccessReview.objects.all(), AccessReviewLine.objects.all()):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**{"due_on" if rows.model is AccessReview else "role": "2020-01-01"})
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessDecision.objects.update(reason="Another.")


def test_an_overdue_review_is_told_once(review: AccessReview, administrator: User) -> None:
    tell_overdue()
    assert not Notice.objects.filter(kind="access_review.overdue").exists()
    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        tell_overdue()
        tell_overdue()
    notice = Notice.objects.get(kind="access_review.overdue")
    assert notice.recipient == administrator


def test_the_next_review_is_overdue_too(review: AccessReview, administrator: User) -> None:
    finished(review, administrator)
    with time_machine.travel(timezone.now() + timedelta(days=91), tick=False):
        tell_overdue()
    assert AuditEvent.objects.filter(action="access_review.overdue").count() == 1


def test_the_file_holds_no_formulas(administrator: User) -> None:
    villain = UserFactory.create(full_name='=HYPERLINK("http://x","y")')
    review = begin(administrator)
    say(review, administrator, villain, reason="@SUM(1)")
    rows = list(csv.DictReader(io.StringIO(export(actor=administrator, review=review))))
    found = next(row for row in rows if row["e-mail"] == villain.email)
    assert found["name"].startswith("'=")
    assert found["reason"] == "'@SUM(1)"
    assert AuditEvent.objects.filter(action="access_review.exported").exists()


def test_the_pages_open_decide_and_finish(
    technician: User, administrator: User, client_for: SignIn
) -> None:
    desk = client_for(administrator)
    today = timezone.localdate()
    listing = reverse("accounts:access_reviews")
    assert "No review yet" in words_of(desk.get(listing))
    desk.post(listing, {"day": today.isoformat(), "review_id": str(uuid.uuid4())})
    review = AccessReview.objects.get()
    page = review.get_absolute_url()
    lines = [str(pk) for pk in review.lines.values_list("pk", flat=True)]
    refused = desk.post(page, {"line": lines, "verdict": "confirmed"}, follow=True)
    assert "Say why" in words_of(refused)
    desk.post(page, {"line": lines, "verdict": "confirmed", "reason": WHY})
    assert WHY in words_of(desk.get(page))
    later = (today + timedelta(days=90)).isoformat()
    desk.post(reverse("accounts:access_review_finish", args=[review.pk]), {"day": later})
    assert "Finished on" in words_of(desk.get(page))
    sent = desk.get(reverse("accounts:access_review_export", args=[review.pk]))
    assert sent["Content-Type"].startswith("text/csv")
