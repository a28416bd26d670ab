"""Quoting an opinion in the signer's interpretation, never without its author's name."""

from typing import TYPE_CHECKING

from django.db import transaction

from classifier.models import Review
from classifier.services.reviews import lock_own_review, revision_of, set_comment
from consultation.models import Opinion

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def quote_opinion(*, opinion: Opinion, actor: "User") -> Review:
    """Append an opinion to the interpretation of the open review. Again is harmless.

    Raises:
        TransitionRefused, NotPermitted: the case isn't open with this person.
        GuardFailed: the interpretation would be too long.
    """
    case_id = opinion.referral.case_id
    review = lock_own_review(case_id=case_id, actor=actor)
    words = opinion.quotation
    if words in review.comment:
        return review
    return set_comment(
        case_id=case_id,
        actor=actor,
        text=f"{review.comment}\n\n{words}".strip(),
        revision=revision_of(review.comment),
    )
