"""What administrators do with webhooks: add, renew the secret, stop, start, send again."""

import uuid
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import GuardFailed, NotPermitted
from exchange.enums import WebhookContent, WebhookState
from exchange.models import Webhook, WebhookDelivery
from exchange.webhooks.addresses import AddressRefused, check_url

if TYPE_CHECKING:
    from accounts.models import User

DUTY = "accounts.manage_interfaces"


@transaction.atomic
def add_webhook(
    *, actor: "User", webhook_id: uuid.UUID, name: str, url: str, content: WebhookContent
) -> Webhook:
    """Add an address that is told of every report from now on; sent twice it is added once.

    Raises:
        NotPermitted: not one who connects other systems.
        GuardFailed: the address can't be one, or the name is taken.
    """
    _require_duty(actor)
    if known := Webhook.objects.filter(pk=webhook_id).first():
        return known
    try:
        check_url(url)
    except AddressRefused as refusal:
        raise GuardFailed(str(refusal)) from refusal
    try:
        with transaction.atomic():
            webhook = Webhook.objects.create(
                pk=webhook_id, name=name, url=url, content=content, added_by=actor
            )
    except IntegrityError as error:
        raise GuardFailed("A webhook of this name is there already.") from error
    _audit(actor, "webhook.added", webhook, after={"content": content.value})
    return webhook


@transaction.atomic
def renew_secret(*, actor: "User", webhook_id: uuid.UUID, generation: int) -> Webhook:
    """Give a webhook another secret; for a day calls carry the old one's signature as well.

    ``generation`` is the one that was seen, so that a double click renews once.
    """
    webhook = _lock(actor, webhook_id)
    if webhook.generation == generation:
        webhook.generation += 1
        webhook.renewed_at = timezone.now()
        webhook.save(update_fields=["generation", "renewed_at"])
        _audit(actor, "webhook.renewed", webhook, after={"generation": webhook.generation})
    return webhook


@transaction.atomic
def set_active(*, actor: "User", webhook_id: uuid.UUID, is_active: bool) -> Webhook:
    """Stop a webhook, or start it again: what waits meanwhile is sent then."""
    webhook = _lock(actor, webhook_id)
    if webhook.is_active != is_active:
        webhook.is_active = is_active
        webhook.save(update_fields=["is_active"])
        _audit(actor, "webhook.started" if is_active else "webhook.stopped", webhook)
    return webhook


@transaction.atomic
def send_again(*, actor: "User", delivery_id: uuid.UUID) -> WebhookDelivery:
    """Queue what was delivered or given up once more, under the same id.

    Raises:
        NotPermitted: not one who connects other systems.
        GuardFailed: there is nothing to send, as it could not be made or was disposed of.
    """
    _require_duty(actor)
    found = WebhookDelivery.objects.select_for_update(of=("self",)).select_related("report__case")
    delivery = found.get(pk=delivery_id)
    if delivery.state not in (WebhookState.DEAD, WebhookState.DELIVERED):
        return delivery
    if delivery.disposed_at:
        raise GuardFailed("What it said was disposed of, so there is nothing to send.")
    if not delivery.body:
        raise GuardFailed("It could not be made, so there is nothing to send.")
    before = delivery.state
    delivery.state, delivery.attempts, delivery.due_at = WebhookState.QUEUED, 0, timezone.now()
    delivery.problem, delivery.finished_at = "", None
    delivery.save(update_fields=["state", "attempts", "due_at", "problem", "finished_at"])
    record(
        actor=actor,
        action="webhook.replayed",
        target=delivery,
        before={"state": before},
        patient=delivery.report.case.patient_id,
    )
    return delivery


def _lock(actor: "User", webhook_id: uuid.UUID) -> Webhook:
    _require_duty(actor)
    return Webhook.objects.select_for_update().get(pk=webhook_id)


def _require_duty(actor: "User") -> None:
    if not actor.has_perm(DUTY):
        raise NotPermitted("You may not connect other systems.")


def _audit(
    actor: "User", action: str, webhook: Webhook, after: dict[str, Any] | None = None
) -> None:
    record(actor=actor, action=action, target=webhook, after=after)
