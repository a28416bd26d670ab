"""Access reviews: opening one, saying of each account whether it stays, finishing, overdue ones."""

import csv
import io
import uuid
from collections.abc import Collection, Iterable
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from accounts import audit, own_duties, policies
from accounts.exceptions import NotPermitted, OwnAccount, ReasonMissing, WrongState
from accounts.formulas import inert
from accounts.models import (
    AccessDecision,
    AccessReview,
    AccessReviewLine,
    AuditEvent,
    User,
)
from accounts.selectors import has_second_factor, ways_in

COLUMNS = (
    "name", "e-mail", "state", "role", "duties", "given", "withheld", "last sign-in",
    "second factor", "comes in by", "decision", "reason", "decided by", "decided at",
)  # fmt: skip


@transaction.atomic
def open_review(*, actor: User, review_id: uuid.UUID, due_on: date) -> AccessReview:
    """Write down every account that could be used, as it stands now. Again is harmless.

    Raises:
        WrongState: another review is open, or the day has passed.
    """
    _require_manager(actor)
    if known := AccessReview.objects.filter(pk=review_id).first():
        return known
    if due_on < timezone.localdate():
        raise WrongState("The day by which it is due has to lie ahead.")
    try:
        with transaction.atomic():
            review = AccessReview.objects.create(id=review_id, opened_by=actor, due_on=due_on)
    except IntegrityError as error:
        raise WrongState("Another access review is open; finish that first.") from error
    people = User.objects.people().filter(deactivated_at__isnull=True).prefetch_related("groups")
    AccessReviewLine.objects.bulk_create(_line(review, user) for user in people)
    after = {"due": due_on, "accounts": review.lines.count()}
    audit.record(actor=actor, action="access_review.opened", target=review, after=after)
    return review


def _line(review: AccessReview, user: User) -> AccessReviewLine:
    duties = own_duties.list_duties(user)
    own = [duty for duty in duties if duty.exception is not None]
    return AccessReviewLine(
        review=review,
        user=user,
        full_name=user.name_with_title,
        email=user.email,
        state=user.state,
        role=user.role or "",
        duties=[duty.codename for duty in duties if duty.is_held],
        given=[duty.codename for duty in own if duty.is_held],
        withheld=[duty.codename for duty in own if not duty.is_held],
        last_login=user.last_login,
        has_second_factor=has_second_factor(user),
        ways_in=ways_in(user),
    )


@transaction.atomic
def decide(
    *, actor: User, review: AccessReview, line_ids: Collection[int], verdict: str, reason: str
) -> int:
    """Say of some accounts that they stay, or that they were changed, in one's name, and why.

    Raises:
        ReasonMissing: no reason.
        WrongState: the review is finished, or no account was chosen.
        OwnAccount: nobody reviews themselves, while there is another administrator.
    """
    _require_manager(actor)
    if not reason.strip():
        raise ReasonMissing("Say why; it stays beside your name.")
    review = _open(review)
    lines = list(review.lines.filter(pk__in=line_ids))
    if not lines:
        raise WrongState("Choose the accounts first.")
    others = User.objects.all().holding("manage_users").exclude(pk=actor.pk)
    if any(line.user_id == actor.pk for line in lines) and others.exists():
        raise OwnAccount("Your own account is for another administrator to review.")
    AccessDecision.objects.bulk_create(
        AccessDecision(
            line=line,
            verdict=AccessDecision.Verdict(verdict),
            reason=reason.strip(),
            decided_by=actor,
            decider_name=actor.name_with_title,
        )
        for line in lines
    )
    after = {"verdict": verdict, "accounts": [line.email for line in lines]}
    audit.record(
        actor=actor, action="access_review.decided", target=review, after=after, reason=reason
    )
    return len(lines)


@transaction.atomic
def finish(*, actor: User, review: AccessReview, next_due_on: date) -> AccessReview:
    """Close a review of which every account is decided; it never changes again.

    Raises:
        WrongState: it is finished, accounts are left, or the next one would be due in the past.
    """
    _require_manager(actor)
    review = _open(review)
    left = review.lines.filter(decisions__isnull=True).count()
    if left:
        raise WrongState(f"Accounts that nobody reviewed yet: {left}.")
    if next_due_on <= timezone.localdate():
        raise WrongState("The next review has to be due later than today.")
    review.finished_by, review.finished_at = actor, timezone.now()
    review.next_due_on = next_due_on
    review.save(update_fields=["finished_by", "finished_at", "next_due_on"])
    after = {"next_due": next_due_on}
    audit.record(actor=actor, action="access_review.finished", target=review, after=after)
    return review


def list_lines(review: AccessReview) -> QuerySet[AccessReviewLine]:
    """Return the accounts of a review, each with the latest word on it."""
    latest = AccessDecision.objects.filter(line=OuterRef("pk")).order_by("-pk")
    names = ("verdict", "reason", "decider_name", "decided_at")
    return review.lines.annotate(
        **{name: Subquery(latest.values(name)[:1]) for name in names}
    ).order_by("full_name", "email")


def overdue_since() -> tuple[AccessReview, date] | None:
    """Return the review that is overdue and since when: an open one, or the one that is to come."""
    latest = AccessReview.objects.order_by("-opened_at").first()
    if latest is None:
        return None
    due = latest.next_due_on or latest.due_on
    return (latest, due) if due < timezone.localdate() else None


@transaction.atomic
def tell_overdue() -> None:
    """Record once that a review is overdue; those who manage accounts are told of it."""
    found = overdue_since()
    if found is None:
        return
    review, due = AccessReview.objects.select_for_update().get(pk=found[0].pk), found[1]
    after = {"due": due.isoformat()}
    told = AuditEvent.objects.filter(action="access_review.overdue", target_id=str(review.pk))
    if not told.filter(after=after).exists():
        system = User.system()
        audit.record(actor=system, action="access_review.overdue", target=review, after=after)


@transaction.atomic
def export(*, actor: User, review: AccessReview) -> str:
    """Return a review as CSV that no spreadsheet runs as formulas; the export is recorded."""
    _require_manager(actor)
    audit.record(actor=actor, action="access_review.exported", target=review)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([inert(str(value)) for value in row] for row in _rows(review))
    return file.getvalue()


def _rows(review: AccessReview) -> Iterable[tuple[object, ...]]:
    for line in list_lines(review):
        yield (
            line.full_name, line.email, line.state, line.role, " ".join(line.duties),
            " ".join(line.given), " ".join(line.withheld),
            line.last_login.isoformat() if line.last_login else "never",
            "on" if line.has_second_factor else "off",
            line.ways_in,
            line.verdict or "", line.reason or "", line.decider_name or "",  # type: ignore[attr-defined]
            line.decided_at.isoformat() if line.decided_at else "",  # type: ignore[attr-defined]
        )  # fmt: skip


def _open(review: AccessReview) -> AccessReview:
    found = AccessReview.objects.select_for_update().get(pk=review.pk)
    if found.finished_at is not None:
        raise WrongState("This review is finished; it never changes again.")
    return found


def _require_manager(actor: User) -> None:
    if not policies.can_manage_users(actor):
        raise NotPermitted("Only those who manage accounts may do this.")
