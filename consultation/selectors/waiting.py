"""How much waits for a person: the numbers in the bar at the top.

Whoever wants to tell people by other means (mail, a message) asks here what there is to tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consultation.models import Mention, Referral

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Waiting:
    """Unread mentions and answers to own referrals; referrals to answer."""

    mentions: int = 0
    answers: int = 0
    consultations: int = 0

    @property
    def news(self) -> int:
        """What a member of the laboratory has to read."""
        return self.mentions + self.answers


def count_waiting(user: "User") -> Waiting:
    """Count what waits for the user; asks only about duties that the user holds."""
    return Waiting(
        mentions=Mention.objects.of(user).unread().count() if _discusses(user) else 0,
        answers=_answers(user).count() if user.has_perm("accounts.review_case") else 0,
        consultations=Referral.objects.visible_to(user).unanswered().count()
        if user.has_perm("accounts.give_opinion")
        else 0,
    )


def list_answers(user: "User") -> Sequence[Referral]:
    """Return the user's referrals with opinions that the user hasn't read."""
    found = _answers(user).select_related("case__patient", "consultant")
    return list(found.prefetch_related("opinions"))


def _answers(user: "User") -> "QuerySet[Referral]":
    return Referral.objects.of_cases_visible_to(user).with_news_for(user)


def _discusses(user: "User") -> bool:
    return user.has_perm("accounts.discuss_case")
