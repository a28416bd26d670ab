"""The referrals of a case as its laboratory sees them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404

from classifier.enums import CellType
from classifier.models import Case
from classifier.policies import can_edit_review
from consultation import policies
from consultation.models import Opinion, Referral

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class ReferralView:
    """A referral, its opinions oldest first, and what the reader may do with it."""

    referral: Referral
    opinions: tuple["OpinionView", ...]
    can_withdraw: bool
    can_change_term: bool
    can_quote: bool


@dataclass(frozen=True, slots=True)
class OpinionView:
    """An opinion with its remarks on classes in words."""

    opinion: Opinion
    is_addendum: bool
    impressions: tuple[tuple[str, str], ...]


def list_referrals(case: Case, reader: "User") -> list[ReferralView]:
    """Return the referrals of a case the reader may see, the newest first."""
    may_quote = can_edit_review(reader, case)
    return [
        ReferralView(
            referral=referral,
            opinions=view_opinions(list(referral.opinions.all())),
            can_withdraw=referral.is_open and policies.can_withdraw(reader, referral),
            can_change_term=referral.is_open and policies.can_change_term(reader, referral),
            can_quote=may_quote,
        )
        for referral in _with_people(case)
    ]


def list_awaited(case: Case) -> list[Referral]:
    """Return the referrals that may still be answered and were not."""
    return [referral for referral in _with_people(case) if referral.is_awaited]


def list_answered(case: Case) -> list[Referral]:
    """Return the referrals with opinions, in the order in which these were first given."""
    answered = [referral for referral in _with_people(case) if referral.opinions.all()]
    return sorted(answered, key=lambda referral: referral.opinions.all()[0].given_at)


def get_referral(user: "User", referral_id: uuid.UUID) -> Referral:
    """Return a referral of a case that the user may open in the laboratory; else Http404."""
    found = Referral.objects.of_cases_visible_to(user)
    return get_object_or_404(found.select_related("case", "consultant"), pk=referral_id)


def get_opinion(user: "User", opinion_id: uuid.UUID) -> Opinion:
    """Return an opinion on a case that the user may open in the laboratory; else Http404."""
    seen = Referral.objects.of_cases_visible_to(user)
    found = Opinion.objects.filter(referral__in=seen).select_related("referral__case")
    return get_object_or_404(found, pk=opinion_id)


def view_opinions(opinions: Sequence[Opinion]) -> tuple[OpinionView, ...]:
    """Return opinions of one referral, oldest first: all but the first are addenda."""
    return tuple(
        OpinionView(
            opinion,
            is_addendum=place > 0,
            impressions=tuple(
                (str(cell_type.label), opinion.impressions[cell_type])
                for cell_type in CellType
                if cell_type in opinion.impressions
            ),
        )
        for place, opinion in enumerate(opinions)
    )


def _with_people(case: Case) -> list[Referral]:
    found = case.referrals.select_related("case", "consultant", "referred_by", "withdrawn_by")
    return list(found.prefetch_related("opinions", "terms__changed_by"))
