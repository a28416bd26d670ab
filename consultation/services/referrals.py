"""Referring a case to a consultant for this case alone, and taking the referral back."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, Laboratory
from classifier.services.transitions import lock_case
from consultation import policies
from consultation.anonymity import names_the_patient
from consultation.models import Referral
from consultation.selectors.people import list_consultants

if TYPE_CHECKING:
    from accounts.models import User

QUESTION_LIMIT = 2000
REASON_LIMIT = 250


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of whom, and what of the patient is shown."""

    consultant_id: int
    question: str
    shows_identity: bool = False
    shows_clinical_details: bool = False


@transaction.atomic
def refer_case(
    *, case_id: uuid.UUID, actor: "User", referral_id: uuid.UUID, wanted: Request
) -> Referral:
    """Let a consultant see the case for the laboratory's number of days. Again is harmless.

    Where identity is hidden, neither the question nor clinical details that are shown may name
    the patient.

    Raises:
        NotPermitted: the actor doesn't review, or the case isn't ready for it.
        GuardFailed: nobody to ask, nothing asked, the patient is named, or asked already.
        EditConflict: the referral's id was used for something else.
    """
    case = lock_to_refer(case_id, actor)
    if repeated := Referral.objects.filter(pk=referral_id).first():
        return _same(repeated, case, actor)
    consultant = list_consultants(actor).filter(pk=wanted.consultant_id).first()
    if consultant is None:
        raise GuardFailed("Choose somebody who gives opinions.")
    _check(case, wanted)
    _make_room(case, consultant)
    referral = _create(case, actor, consultant, referral_id, wanted)
    _record_made(referral, actor)
    return referral


def lock_to_refer(case_id: uuid.UUID, actor: "User") -> Case:
    """Return the case, locked, if the actor may refer it.

    Raises:
        NotPermitted: the actor doesn't review, or the case isn't ready for it.
    """
    case = lock_case(case_id)
    if not policies.can_refer(actor, case):
        raise NotPermitted("Only a pathologist may refer a case, once it was classified.")
    return case


def _create(
    case: Case, actor: "User", consultant: "User", referral_id: uuid.UUID, wanted: Request
) -> Referral:
    now = timezone.now()
    created: Referral = Referral.objects.create(
        id=referral_id,
        case=case,
        referred_by=actor,
        consultant=consultant,
        is_outside=not consultant.has_perm("accounts.view_patient"),
        question=wanted.question.strip(),
        shows_identity=wanted.shows_identity,
        shows_clinical_details=wanted.shows_clinical_details,
        created_at=now,
        expires_at=now + timedelta(days=Laboratory.current().referral_days),
    )
    return created


def _record_made(referral: Referral, actor: "User") -> None:
    record(
        actor=actor,
        action="referral.made",
        target=referral.case,
        after={
            "referral": referral.pk,
            "consultant": referral.consultant.email,
            "question": referral.question,
            "shows_identity": referral.shows_identity,
            "shows_clinical_details": referral.shows_clinical_details,
            "expires_at": referral.expires_at,
        },
        patient=referral.case.patient_id,
    )


@transaction.atomic
def withdraw_referral(*, referral: Referral, actor: "User", reason: str) -> Referral:
    """Take the case out of the consultant's sight at once; what was answered stays.

    Withdrawing again changes nothing.

    Raises:
        NotPermitted: neither the referrer nor in charge of case or laboratory.
        GuardFailed: no reason, or it expired already.
    """
    referral = lock_referral(referral.pk)
    if not policies.can_withdraw(actor, referral):
        raise NotPermitted("Only the referrer or who has the case open may withdraw a referral.")
    if referral.withdrawn_at is not None:
        return referral
    if not referral.is_open:
        raise GuardFailed("The referral has expired already.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    referral.withdrawn_at, referral.withdrawn_by = timezone.now(), actor
    referral.withdrawal_reason, referral.is_latest = reason.strip()[:REASON_LIMIT], False
    referral.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawal_reason", "is_latest"])
    record(
        actor=actor,
        action="referral.withdrawn",
        target=referral.case,
        after={"referral": referral.pk, "consultant": referral.consultant.email},
        reason=reason,
        patient=referral.case.patient_id,
    )
    return referral


def lock_referral(referral_id: uuid.UUID) -> Referral:
    """Return the referral with its row locked until the transaction ends."""
    found = Referral.objects.select_related("case", "consultant", "referred_by")
    return found.select_for_update(of=("self",)).get(pk=referral_id)


def _same(referral: Referral, case: Case, actor: "User") -> Referral:
    if (referral.case_id, referral.referred_by_id) != (case.pk, actor.pk):
        raise EditConflict("This referral was already recorded for something else.")
    return referral


def _check(case: Case, wanted: Request) -> None:
    if not wanted.question.strip():
        raise GuardFailed("Say what you want to know.")
    if len(wanted.question) > QUESTION_LIMIT:
        raise GuardFailed(f"The question is longer than {QUESTION_LIMIT} characters.")
    if wanted.shows_identity:
        return
    if found := names_the_patient(wanted.question, case):
        raise GuardFailed(f"The question holds {found}: leave it out, or show the identity.")
    if wanted.shows_clinical_details and (found := names_the_patient(case.clinical_details, case)):
        raise GuardFailed(f"The clinical details hold {found}: they can't be shown without it.")


def _make_room(case: Case, consultant: "User") -> None:
    """An expired referral gives way to a new one; an open one doesn't.

    Raises:
        GuardFailed: the consultant sees the case already.
    """
    latest = case.referrals.filter(consultant=consultant, is_latest=True).first()
    if latest is None:
        return
    if latest.is_open:
        raise GuardFailed(f"{consultant.name_with_title} has this case already.")
    latest.is_latest = False
    latest.save(update_fields=["is_latest"])
