"""Records that a consultant looks at a referred case and its pictures."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import READ_RECORDED_AGAIN_AFTER, record
from accounts.models import AuditEvent
from consultation.models import Referral
from consultation.services.referrals import lock_referral

if TYPE_CHECKING:
    from django.db.models import Model

    from accounts.models import User


def open_referral(*, referral: Referral, actor: "User") -> None:
    """Record that the consultant opened the page; the first time counts as having received it."""
    if referral.first_opened_at is None:
        _note_first_opening(referral, actor)
    record_view(referral=referral, actor=actor)


def record_view(*, referral: Referral, actor: "User", picture: "Model | None" = None) -> None:
    """Record that a referred case, or one picture of it in full, was looked at.

    Once an hour for each reader and referral, or reader and picture, as other reads are.
    """
    action = "referral.picture_viewed" if picture else "referral.viewed"
    target = picture or referral
    patient_id = referral.case.patient_id
    since = timezone.now() - READ_RECORDED_AGAIN_AFTER
    seen = AuditEvent.objects.about_patient(patient_id).since(since)
    if seen.filter(actor=actor, action=action, target_id=str(target.pk)).exists():
        return
    with transaction.atomic():
        record(
            actor=actor,
            action=action,
            target=target,
            after={"referral": referral.pk} if picture else None,
            patient=patient_id,
        )


@transaction.atomic
def _note_first_opening(referral: Referral, actor: "User") -> None:
    locked = lock_referral(referral.pk)
    if locked.first_opened_at is not None:
        return
    referral.first_opened_at = locked.first_opened_at = timezone.now()
    locked.save(update_fields=["first_opened_at"])
    record(
        actor=actor,
        action="referral.opened",
        target=locked.case,
        after={"referral": locked.pk},
        patient=locked.case.patient_id,
    )
