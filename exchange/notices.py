"""What people are told of the exchange with other systems."""

from collections.abc import Iterable

from django.urls import reverse

from accounts.models import AuditEvent, User
from exchange.models import IncomingMessage
from notifications.kinds import NoticeKind


def _who_connects(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_interfaces")


def _who_settles(event: AuditEvent) -> Iterable[User]:
    return () if _is_merge(event) else User.objects.all().holding("register_patient")


def _who_merges(event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("merge_patients") if _is_merge(event) else ()


def _is_merge(event: AuditEvent) -> bool:
    return IncomingMessage.objects.get(pk=event.target_id).is_merge


def _sent(event: AuditEvent) -> str:
    return reverse("exchange:message", args=[event.target_id])


def _incoming(event: AuditEvent) -> str:
    return reverse("exchange:incoming_message", args=[event.target_id])


def _webhooks(_event: AuditEvent) -> str:
    return reverse("webhooks:list")


KINDS = (
    NoticeKind(
        name="exchange.not_sent",
        title="A report could not be told to another system",
        actions=(
            "result_message.rejected",
            "result_message.given_up",
            "result_message.unsendable",
        ),
        duty="manage_interfaces",
        audience=_who_connects,
        address=_sent,
        by_mail=True,
    ),
    NoticeKind(
        name="exchange.webhook_given_up",
        title="A webhook's receiver was given up on",
        actions=("webhook.given_up",),
        duty="manage_interfaces",
        audience=_who_connects,
        address=_webhooks,
        by_mail=True,
    ),
    NoticeKind(
        name="exchange.merge_waits",
        title="Another system says that two records are of one patient",
        actions=("message.parked",),
        duty="merge_patients",
        audience=_who_merges,
        address=_incoming,
        by_mail=True,
    ),
    NoticeKind(
        name="exchange.waits",
        title="A message of another system waits for a person",
        actions=("message.parked",),
        duty="register_patient",
        audience=_who_settles,
        address=_incoming,
    ),
)
