"""Letting a consultant see a referred case for longer, or for less long."""

import uuid
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from consultation import policies
from consultation.models import Referral, ReferralTerm
from consultation.services.referrals import REASON_LIMIT, lock_referral

if TYPE_CHECKING:
    from accounts.models import User

MOST_DAYS = 365


@transaction.atomic
def change_term(
    *, referral: Referral, actor: "User", last_day: date, term_id: uuid.UUID, reason: str = ""
) -> Referral:
    """Let a running referral end with the end of ``last_day``; each change is kept.

    Again is harmless.

    Raises:
        NotPermitted: somebody else referred the case.
        GuardFailed: it has ended, the day is past or too far, or nothing would change.
        EditConflict: the change's id was used for something else.
    """
    referral = lock_referral(referral.pk)
    if not policies.can_change_term(actor, referral):
        raise NotPermitted("Only who referred the case says for how long.")
    if repeated := ReferralTerm.objects.filter(pk=term_id).first():
        if repeated.referral_id != referral.pk:
            raise EditConflict("This change was already recorded for another referral.")
        return referral
    expires_at = _checked(referral, last_day)
    ReferralTerm.objects.create(
        id=term_id,
        referral=referral,
        changed_by=actor,
        former=referral.expires_at,
        expires_at=expires_at,
        reason=reason.strip()[:REASON_LIMIT],
    )
    _record(referral, actor, expires_at, reason)
    referral.expires_at = expires_at
    referral.save(update_fields=["expires_at"])
    return referral


def _checked(referral: Referral, last_day: date) -> datetime:
    """Return the end of the day, if a running referral may end then."""
    if not referral.is_open:
        raise GuardFailed("The referral has ended: refer the case again.")
    today = timezone.localdate()
    if last_day < today:
        raise GuardFailed("The day is past: withdraw the referral to end it now.")
    if last_day > today + timedelta(days=MOST_DAYS):
        raise GuardFailed(f"At most {MOST_DAYS} days from today.")
    expires_at = timezone.make_aware(datetime.combine(last_day, time(23, 59)))
    if expires_at == referral.expires_at:
        raise GuardFailed("The referral lasts until then already.")
    return expires_at


def _record(referral: Referral, actor: "User", expires_at: datetime, reason: str) -> None:
    record(
        actor=actor,
        action="referral.term_changed",
        target=referral.case,
        before={"referral": referral.pk, "expires_at": referral.expires_at},
        after={"referral": referral.pk, "expires_at": expires_at},
        reason=reason,
        patient=referral.case.patient_id,
    )
