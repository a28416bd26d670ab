"""What a pathologist does with a case as a whole: claim, comment, give back, amend."""

import hashlib
import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import policies
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, Review
from classifier.services.critical import reassess
from classifier.services.transitions import lock_case, transition

if TYPE_CHECKING:
    from accounts.models import User

COMMENT_LIMIT = 10_000


@transaction.atomic
def open_review(*, case_id: uuid.UUID, actor: "User") -> Review:
    """Claim a case: of two at once one wins, the other hears who has it. Again is harmless.

    The interpretation and the word on platelet clumps go on where the last review left them.

    Raises:
        TransitionRefused: somebody else has the case open, or it isn't ready for review.
        NotPermitted: the actor submitted the case, or doesn't review.
    """
    case = lock_case(case_id)
    review = find_open_review(case)
    if review and case.status == CaseStatus.IN_REVIEW:
        if review.reviewer_id == actor.pk:
            return review
        since = timezone.localtime(review.opened_at)
        raise TransitionRefused(
            f"{review.reviewer.name_with_title} has this case open since {since:%d %b %H:%M}."
        )
    transition(case_id=case_id, name="open_review", actor=actor)
    last = case.reviews.order_by("-pk").first()
    opened: Review = case.reviews.create(
        reviewer=actor,
        comment=last.comment if last else "",
        has_platelet_clumps=last.has_platelet_clumps if last else False,
    )
    reassess(case)
    return opened


@transaction.atomic
def release(*, case_id: uuid.UUID, actor: "User") -> Case:
    """Give an opened case back to the worklist unsigned; what was named stays named."""
    case = transition(case_id=case_id, name="release", actor=actor)
    close_review(case=case, outcome=ReviewOutcome.RELEASED)
    return case


@transaction.atomic
def return_to_technician(*, case_id: uuid.UUID, actor: "User", reason: str) -> Case:
    """Send a case back for rework: it can take more images; predictions and marks stay."""
    case = transition(case_id=case_id, name="return_to_technician", actor=actor, reason=reason)
    close_review(case=case, outcome=ReviewOutcome.RETURNED)
    return case


@transaction.atomic
def reject(*, case_id: uuid.UUID, actor: "User", reason: str) -> Case:
    """End a case whose specimen is unfit; an open review ends with it."""
    case = transition(case_id=case_id, name="reject", actor=actor, reason=reason)
    if find_open_review(case):
        close_review(case=case, outcome=ReviewOutcome.REJECTED)
    return case


@transaction.atomic
def amend(*, case_id: uuid.UUID, actor: "User", reason: str) -> Review:
    """Open a signed case for correction; it starts from the signed findings and comment."""
    case = transition(case_id=case_id, name="amend", actor=actor, reason=reason)
    signed = case.reviews.filter(outcome=ReviewOutcome.SIGNED).order_by("-pk").first()
    return case.reviews.create(reviewer=actor, comment=signed.comment if signed else "")


@transaction.atomic
def withdraw_amendment(*, case_id: uuid.UUID, actor: "User") -> Case:
    """Close an amendment that changed no cell; the signed report stands, its comment too."""
    case = transition(case_id=case_id, name="withdraw_amendment", actor=actor)
    close_review(case=case, outcome=ReviewOutcome.RELEASED)
    return case


@transaction.atomic
def set_comment(*, case_id: uuid.UUID, actor: "User", text: str, revision: str) -> Review:
    """Save the interpretation, if nobody changed it since the writer read ``revision``.

    Saving the stored text again is harmless and not recorded.

    Raises:
        EditConflict: the stored comment is neither ``revision`` nor ``text``.
        GuardFailed: the text is too long.
        TransitionRefused, NotPermitted: the case isn't open with this person.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    text = text.replace("\r\n", "\n").strip()
    if text == review.comment:
        return review
    if revision != revision_of(review.comment):
        raise EditConflict("The comment was changed elsewhere since you read it.")
    if len(text) > COMMENT_LIMIT:
        raise GuardFailed(f"The comment is longer than {COMMENT_LIMIT} characters.")
    before, review.comment = review.comment, text
    review.save(update_fields=["comment"])
    record(
        actor=actor,
        action="review.comment_changed",
        target=review.case,
        before={"comment": before},
        after={"comment": text},
        patient=review.case.patient_id,
    )
    return review


@transaction.atomic
def set_platelet_clumps(*, case_id: uuid.UUID, actor: "User", has_clumps: bool) -> Review:
    """Say whether platelets lie in clumps, in which case they can't be estimated.

    Raises:
        TransitionRefused, NotPermitted: the case isn't open with this person.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    before = review.has_platelet_clumps
    if has_clumps == before:
        return review
    review.has_platelet_clumps = has_clumps
    review.save(update_fields=["has_platelet_clumps"])
    reassess(review.case)
    record(
        actor=actor,
        action="review.platelet_clumps",
        target=review.case,
        before={"platelet_clumps": before},
        after={"platelet_clumps": has_clumps},
        patient=review.case.patient_id,
    )
    return review


def revision_of(comment: str) -> str:
    """Return what a writer must quote to overwrite this comment; the same text, the same."""
    return hashlib.sha256(comment.encode()).hexdigest()[:16]


def find_open_review(case: Case) -> Review | None:
    """Return the review that has the case open, with its reviewer."""
    return case.reviews.filter(completed_at=None).select_related("reviewer").first()


def close_review(*, case: Case, outcome: ReviewOutcome) -> Review:
    """End the open review of a case; call in the transaction that moves the case."""
    review = case.reviews.select_for_update().get(completed_at=None)
    review.outcome = outcome
    review.completed_at = timezone.now()
    review.save(update_fields=["outcome", "completed_at"])
    return review


def lock_own_review(*, case_id: uuid.UUID, actor: "User") -> Review:
    """Return the actor's open review of the case, with the case's row locked.

    Raises:
        TransitionRefused: nobody has the case open.
        NotPermitted: somebody else has.
    """
    case = lock_case(case_id)
    review = find_open_review(case)
    if review is None:
        raise TransitionRefused(
            f"Case {case.accession_number} is not open for review; nothing was changed."
        )
    if not policies.can_edit_review(actor, case):
        raise NotPermitted(f"{review.reviewer.name_with_title} has this case open, not you.")
    review.case = case
    return review
