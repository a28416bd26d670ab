"""Giving one person a duty beyond their role, and withholding one: services and what they show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit, policies
from accounts.enums import Role
from accounts.exceptions import (
    DutyRefused,
    NotPermitted,
    OwnAccount,
    ReasonMissing,
    WrongState,
)
from accounts.models import DutyException, User
from accounts.roles import APART, CLOSED_ROLES, DUTIES, DUTY_OPENS, ROLE_BOUND, ROLE_DUTIES


@dataclass(frozen=True, slots=True)
class HeldDuty:
    """A duty, and how it stands with one person."""

    codename: str
    sentence: str
    opens: str
    is_by_role: bool
    exception: DutyException | None

    @property
    def is_held(self) -> bool:
        """Tell whether the person may do it now."""
        return self.is_by_role if self.exception is None else self.exception.is_granted


def duties_by_role(role: Role | None) -> frozenset[str]:
    """Return the duties of a role; none for nobody's."""
    return ROLE_DUTIES[role] if role else frozenset()


def list_duties(user: User) -> list[HeldDuty]:
    """Return every duty and how it stands with a person."""
    own = {each.duty: each for each in DutyException.objects.in_force().filter(user=user)}
    by_role = duties_by_role(user.role)
    return [
        HeldDuty(name, sentence, DUTY_OPENS.get(name, ""), name in by_role, own.get(name))
        for name, sentence in DUTIES.items()
    ]


def why_not(user: User, duty: str, *, is_granted: bool) -> str:
    """Return why a duty can't be given to a person, or withheld; empty if it can."""
    by_role = duties_by_role(user.role)
    if duty not in DUTIES:
        return "There is no such duty."
    if duty in ROLE_BOUND:
        return "This duty comes and goes with the role alone."
    if is_granted == (duty in by_role):
        return "The role holds it already." if is_granted else "The role doesn't hold it anyway."
    return _clash(user, duty, by_role) if is_granted else ""


def _clash(user: User, duty: str, by_role: frozenset[str]) -> str:
    """A duty must not meet those it is kept apart from, even ones that are withheld just now."""
    if user.role in CLOSED_ROLES:
        return "Consultants and learners hold no more than their role's duties."
    given = DutyException.objects.standing().filter(user=user, is_granted=True)
    held = by_role | set(given.values_list("duty", flat=True))
    for one, other, why in APART:
        if (duty in one and held & other) or (duty in other and held & one):
            return why
    return ""


@transaction.atomic
def set_exception(
    *,
    actor: User,
    user: User,
    duty: str,
    is_granted: bool,
    reason: str,
    expires_at: datetime | None = None,
) -> DutyException:
    """Give a person a duty beyond the role, or withhold one of the role's, with a reason.

    Raises:
        NotPermitted, ReasonMissing: the actor doesn't manage accounts, or gives no reason.
        OwnAccount: nobody changes their own duties.
        DutyRefused: it would join duties that are kept apart, or changes nothing.
        WrongState: this duty of this person was changed already.
    """
    _check(actor, user, reason)
    user = User.objects.people().select_for_update().get(pk=user.pk)
    if refusal := why_not(user, duty, is_granted=is_granted):
        raise DutyRefused(refusal)
    if expires_at is not None and expires_at <= timezone.now():
        raise DutyRefused("The last day has to lie ahead.")
    _end_what_ran_out(actor, user, duty)
    made = _make(
        DutyException(
            user=user,
            duty=duty,
            is_granted=is_granted,
            reason=reason.strip(),
            decided_by=actor,
            expires_at=expires_at,
        )
    )
    audit.record(
        actor=actor,
        action="user.duty_given" if is_granted else "user.duty_withheld",
        target=user,
        after={"duty": duty, "until": expires_at},
        reason=reason,
    )
    return made


def _end_what_ran_out(actor: User, user: User, duty: str) -> None:
    for past in DutyException.objects.standing().filter(user=user, duty=duty):
        if past.is_in_force:
            raise WrongState("This duty was changed already; end that first.")
        _end(past, actor, "Its time was up.")


def _make(exception: DutyException) -> DutyException:
    User.objects.filter(pk=exception.user_id).update(has_own_duties=True)
    try:
        with transaction.atomic():
            exception.save(force_insert=True)
    except IntegrityError as error:
        raise WrongState("Somebody changed this duty a moment ago.") from error
    return exception


@transaction.atomic
def end_exception(*, actor: User, exception: DutyException, reason: str) -> DutyException:
    """Let the role alone decide about a duty again. Ended already, nothing happens.

    Raises:
        DutyRefused: the duty would come back beside one that was given since.
    """
    _check(actor, exception.user, reason)
    found = DutyException.objects.select_for_update(of=("self",)).get(pk=exception.pk)
    if found.ended_at is None:
        _end(found, actor, reason)
        audit.record(
            actor=actor,
            action="user.duty_exception_ended",
            target=found.user,
            before={"duty": found.duty, "given": found.is_granted},
            reason=reason,
        )
    return found


def end_all_of(*, actor: User, user: User, reason: str) -> Sequence[str]:
    """End everything given to and withheld from a person, as a new role begins; return what."""
    standing = list(DutyException.objects.standing().select_for_update().filter(user=user))
    for each in standing:
        _end(each, actor, reason)
    return sorted(each.duty for each in standing)


def _end(exception: DutyException, actor: User, reason: str) -> None:
    exception.ended_at, exception.ended_by = timezone.now(), actor
    exception.end_reason = reason.strip()
    exception.save(update_fields=["ended_at", "ended_by", "end_reason"])


def _check(actor: User, user: User, reason: str) -> None:
    if not policies.can_manage_users(actor):
        raise NotPermitted("Only those who manage accounts may do this.")
    if actor.pk == user.pk:
        raise OwnAccount("You cannot change your own duties; ask another administrator.")
    if not reason.strip():
        raise ReasonMissing("Give a reason; it is kept in the audit trail.")
