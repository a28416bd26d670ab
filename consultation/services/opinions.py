"""A consultant's opinion: drafted, then given once and for all; read, printed by the referrer."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.enums import CellType
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.services.reviews import lock_own_review
from consultation import policies
from consultation.models import Opinion, OpinionDraft, Referral
from consultation.services.referrals import lock_referral

if TYPE_CHECKING:
    from accounts.models import User

TEXT_LIMIT = 10_000
DIAGNOSIS_LIMIT = 1000
IMPRESSION_LIMIT = 300

# What the consultant reads beside the button; kept in the audit trail beside the opinion.
STATEMENT = (
    "This is my opinion on what I was shown. It is kept under my name beside the case and can't be "
    "changed; I can add to it while the referral is open. It is advice to the pathologist who "
    "signs, not a report."
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a consultant writes: free text, a diagnosis, a remark on the cells of a class."""

    text: str = ""
    diagnosis: str = ""
    impressions: Mapping[str, str] = field(default_factory=dict)

    def cleaned(self) -> "Words":
        """Return the words without surrounding space or empty remarks.

        Raises:
            GuardFailed: too long, or a class that doesn't exist.
        """
        said = {name: _tidy(text) for name, text in self.impressions.items() if text.strip()}
        words = Words(_tidy(self.text), _tidy(self.diagnosis), said)
        if not said.keys() <= set(CellType.values):
            raise GuardFailed("There is no such cell class.")
        lengths = {
            "opinion": (len(words.text), TEXT_LIMIT),
            "diagnosis": (len(words.diagnosis), DIAGNOSIS_LIMIT),
            "remark on a class": (max(map(len, said.values()), default=0), IMPRESSION_LIMIT),
        }
        for what, (length, limit) in lengths.items():
            if length > limit:
                raise GuardFailed(f"The {what} is longer than {limit} characters.")
        return words


@transaction.atomic
def save_draft(*, referral: Referral, actor: "User", words: Words, revision: str) -> OpinionDraft:
    """Keep what is being written, if nobody changed it since the writer read ``revision``.

    Raises:
        NotPermitted: not the consultant, or no longer in sight.
        EditConflict: it was changed in another window.
        GuardFailed: see `Words.cleaned`.
    """
    referral = _lock_own(referral, actor)
    words = words.cleaned()
    draft, _ = OpinionDraft.objects.get_or_create(referral=referral)
    stored = words_of(draft)
    if words == stored:
        return draft
    if revision != revision_of(stored):
        raise EditConflict("The draft was changed in another window since you opened this page.")
    _store(draft, words)
    return draft


@transaction.atomic
def give_opinion(
    *, referral: Referral, actor: "User", opinion_id: uuid.UUID, words: Words
) -> Opinion:
    """Record an opinion, or an addendum to it, for good; the draft is emptied. Again is harmless.

    Raises:
        NotPermitted: not the consultant, or no longer in sight.
        GuardFailed: nothing was written; or see `Words.cleaned`.
        EditConflict: the opinion's id was used for something else.
    """
    referral = _lock_own(referral, actor)
    if repeated := Opinion.objects.filter(pk=opinion_id).first():
        if repeated.referral_id != referral.pk:
            raise EditConflict("This opinion was already recorded for another referral.")
        return repeated
    words = words.cleaned()
    if not words.text:
        raise GuardFailed("Write your opinion first.")
    opinion = referral.opinions.create(
        id=opinion_id, author_name=actor.name_with_title, **asdict(words)
    )
    _store(OpinionDraft.objects.get_or_create(referral=referral)[0], Words())
    record(
        actor=actor,
        action="opinion.given",
        target=referral.case,
        after={
            "referral": referral.pk,
            "opinion": opinion.pk,
            **asdict(words),
            "statement": STATEMENT,
        },
        patient=referral.case.patient_id,
    )
    return opinion


@transaction.atomic
def print_opinion(*, referral: Referral, actor: "User", is_printed: bool) -> Referral:
    """Say whether the report prints the words of the opinion; that it was asked for it always says.

    Raises:
        NotPermitted, TransitionRefused: the case isn't open with this person.
    """
    lock_own_review(case_id=referral.case_id, actor=actor)
    referral = lock_referral(referral.pk)
    before = referral.prints_opinion
    if before == is_printed:
        return referral
    referral.prints_opinion = is_printed
    referral.save(update_fields=["prints_opinion"])
    record(
        actor=actor,
        action="opinion.printed",
        target=referral.case,
        before={"referral": referral.pk, "is_printed": before},
        after={"referral": referral.pk, "is_printed": is_printed},
        patient=referral.case.patient_id,
    )
    return referral


def mark_answer_read(*, referral: Referral, actor: "User") -> None:
    """Note that the referrer has read what was answered so far; of others it isn't asked."""
    if referral.referred_by_id == actor.pk:
        Referral.objects.filter(pk=referral.pk).update(answer_read_at=timezone.now())


def words_of(draft: OpinionDraft | None) -> Words:
    """Return what a draft holds."""
    return Words(draft.text, draft.diagnosis, draft.impressions) if draft else Words()


def revision_of(words: Words) -> str:
    """Return what a writer must quote to overwrite these words; the same words, the same."""
    return hashlib.sha256(json.dumps(asdict(words), sort_keys=True).encode()).hexdigest()[:16]


def _lock_own(referral: Referral, actor: "User") -> Referral:
    locked = lock_referral(referral.pk)
    if not policies.can_answer(actor, locked):
        raise NotPermitted("This case is not referred to you, or not any more.")
    return locked


def _store(draft: OpinionDraft, words: Words) -> None:
    draft.text, draft.diagnosis = words.text, words.diagnosis
    draft.impressions = dict(words.impressions)
    draft.save(update_fields=["text", "diagnosis", "impressions", "saved_at"])


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
