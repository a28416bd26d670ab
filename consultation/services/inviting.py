"""Inviting a consultant from outside and referring a case to them, in one step."""

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.exceptions import AccountError
from accounts.services import Invitation, invite_consultant
from classifier.exceptions import GuardFailed
from consultation.models import Referral
from consultation.services.referrals import Request, lock_to_refer, refer_case

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody from outside who has no account yet."""

    email: str
    full_name: str
    title: str = ""


@transaction.atomic
def invite_and_refer(
    *,
    case_id: uuid.UUID,
    actor: "User",
    referral_id: uuid.UUID,
    newcomer: Newcomer,
    wanted: Request,
) -> tuple[Referral, Invitation | None]:
    """Make the newcomer's account and refer the case to it: both or neither. Again is harmless.

    Whoever may refer the case may invite for it. The link that opens the account is returned
    once, to be handed over; sent twice there is none the second time.

    Raises:
        NotPermitted: the actor doesn't review, or the case isn't ready for it.
        GuardFailed: the e-mail has an account already, or see `refer_case`.
        EditConflict: the referral's id was used for something else.
    """
    lock_to_refer(case_id, actor)
    invitation = None
    repeated = Referral.objects.filter(pk=referral_id).first()
    if repeated is None:
        invitation = _invite(actor, newcomer)
    person = invitation.user.pk if invitation else repeated.consultant_id  # type: ignore[union-attr]
    referral = refer_case(
        case_id=case_id,
        actor=actor,
        referral_id=referral_id,
        wanted=replace(wanted, consultant_id=person),
    )
    return referral, invitation


def _invite(actor: "User", newcomer: Newcomer) -> Invitation:
    try:
        return invite_consultant(
            actor=actor,
            email=newcomer.email,
            full_name=newcomer.full_name,
            title=newcomer.title,
        )
    except AccountError as refusal:
        raise GuardFailed(f"{refusal} Nothing was referred.") from refusal
