"""What people are told of second opinions and discussion.

Inside the application these have pages and numbers of their own, so they come by mail alone
unless somebody wants them in the list too.
"""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from accounts.models import AuditEvent, User
from notifications.kinds import NoticeKind


def _after(event: AuditEvent, name: str) -> Any:
    return (event.after or {}).get(name)


def _consultant(event: AuditEvent) -> Iterable[User]:
    return User.objects.filter(referrals__pk=_after(event, "referral"))


def _referrer(event: AuditEvent) -> Iterable[User]:
    return User.objects.filter(referrals_made__pk=_after(event, "referral"))


def _mentioned(event: AuditEvent) -> Iterable[User]:
    return User.objects.filter(email__in=_after(event, "mentions") or ())


def _consultation(event: AuditEvent) -> str:
    return reverse("consultation:consultation", args=[_after(event, "referral")])


def _discussion(event: AuditEvent) -> str:
    return reverse("consultation:discussion", args=[event.target_id])


KINDS = (
    NoticeKind(
        name="referral.made",
        title="You are asked for an opinion",
        actions=("referral.made",),
        duty="give_opinion",
        audience=_consultant,
        address=_consultation,
        in_app=False,
        by_mail=True,
    ),
    NoticeKind(
        name="opinion.given",
        title="An opinion that you asked for was given",
        actions=("opinion.given",),
        duty="review_case",
        audience=_referrer,
        address=_discussion,
        in_app=False,
        by_mail=True,
    ),
    NoticeKind(
        name="discussion.mention",
        title="A colleague mentions you",
        actions=("discussion.commented",),
        duty="discuss_case",
        audience=_mentioned,
        address=_discussion,
        in_app=False,
        by_mail=True,
    ),
)
