"""Who may refer, answer and discuss; services ask before acting, views before showing a button."""

from typing import TYPE_CHECKING

from django.db.models import OuterRef, Q, QuerySet

from classifier.enums import REVIEWABLE
from classifier.models import Case
from classifier.policies import can_edit_review
from consultation.models import CaseComment, Referral

if TYPE_CHECKING:
    from accounts.models import User


def can_refer(user: "User", case: Case) -> bool:
    """A pathologist, once the cells of the case can be looked at."""
    return user.has_perm("accounts.review_case") and case.status in REVIEWABLE


def can_withdraw(user: "User", referral: Referral) -> bool:
    """The referrer, the pathologist who has the case open, or whoever manages the laboratory."""
    return (
        referral.referred_by_id == user.pk
        or user.has_perm("accounts.manage_laboratory")
        or can_edit_review(user, referral.case)
    )


def can_change_term(user: "User", referral: Referral) -> bool:
    """The referrer, as long as they refer cases at all."""
    return referral.referred_by_id == user.pk and user.has_perm("accounts.review_case")


def can_answer(user: "User", referral: Referral) -> bool:
    """The one whose opinion was asked for, while the case is in sight."""
    return (
        user.has_perm("accounts.give_opinion")
        and referral.consultant_id == user.pk
        and referral.is_open
    )


def sees_case_itself(user: "User", case: Case) -> bool:
    """Say whether the user is of the laboratory, and sees the case without any referral."""
    return Case.objects.visible_to(user).filter(pk=case.pk).exists()


def has_spoken_about(user: "User", case: Case) -> bool:
    """Say whether the user referred the case, gave an opinion on it, or commented on it."""
    return (
        case.referrals.filter(
            Q(referred_by=user) | Q(consultant=user, opinions__isnull=False)
        ).exists()
        or case.comments.filter(author=user).exists()
    )


def is_asked(user: "User", patient: OuterRef) -> "QuerySet[Referral]":
    """Return the referrals that ask for the user's opinion on a case of the patient now."""
    return Referral.objects.open().filter(consultant=user, case__patient=patient)


def can_comment(user: "User", case: Case) -> bool:
    """Members who discuss cases and may see this one; never an outside consultant."""
    return user.has_perm("accounts.discuss_case") and sees_case_itself(user, case)


def can_retract(user: "User", comment: CaseComment) -> bool:
    """The author alone."""
    return comment.author_id == user.pk and user.has_perm("accounts.discuss_case")
