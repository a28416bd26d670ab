"""Whom a referral lets see a case, and the recurring selections of rows."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from classifier.models import Case

if TYPE_CHECKING:
    from accounts.models import User


class ReferralQuerySet(models.QuerySet):
    """Selections of referrals."""

    def visible_to(self, user: "User") -> Self:
        """Return the referrals through which the user sees a case now.

        The one place that says what a consultant may see: what was referred to this person, until
        it expires or is withdrawn; not while the person reads cells of that patient blind.
        """
        if not user.has_perm("accounts.give_opinion"):
            return self.none()
        own = self.filter(consultant=user).open()
        return own.filter(case__in=Case.objects.not_read_blind_by(user))

    def addressed_to(self, user: "User") -> Self:
        """Return all referrals ever made to the user, whose cases may be out of sight.

        None of a patient whose cells the user is just reading blind: the question itself may say
        what they are.
        """
        if not user.has_perm("accounts.give_opinion"):
            return self.none()
        return self.filter(consultant=user, case__in=Case.objects.not_read_blind_by(user))

    def of_cases_visible_to(self, user: "User") -> Self:
        """Return the referrals of the cases that the user may open in the laboratory itself."""
        return self.filter(case__in=Case.objects.visible_to(user))

    def open(self) -> Self:
        """Return the referrals that let their consultant see the case now."""
        return self.filter(withdrawn_at__isnull=True, expires_at__gt=timezone.now())

    def unanswered(self) -> Self:
        """Return the referrals without an opinion."""
        return self.filter(~Exists(_opinions(self)))

    def with_news_for(self, user: "User") -> Self:
        """Return the user's own referrals with an opinion that the user hasn't read."""
        news = _opinions(self).filter(
            Q(referral__answer_read_at__isnull=True) | Q(given_at__gt=F("referral__answer_read_at"))
        )
        return self.filter(Exists(news), referred_by=user)


class MentionQuerySet(models.QuerySet):
    """Selections of mentions."""

    def of(self, user: "User") -> Self:
        """Return the mentions of the user in cases that the user may still open."""
        return self.filter(user=user, comment__case__in=Case.objects.visible_to(user))

    def unread(self) -> Self:
        """Return what was not read; a retracted comment has nothing left to read."""
        return self.filter(read_at__isnull=True, comment__retraction__isnull=True)


def _opinions(referrals: ReferralQuerySet) -> "models.QuerySet[models.Model]":
    related = referrals.model._meta.get_field("opinions").related_model
    return related._default_manager.filter(referral=OuterRef("pk"))
