"""Read models of the page of webhooks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Prefetch, Q, QuerySet

from exchange.enums import WebhookState
from exchange.models import Webhook, WebhookAttempt, WebhookDelivery

if TYPE_CHECKING:
    from accounts.models import User

RECENT = 25
DELIVERED = Q(deliveries__state=WebhookState.DELIVERED)
UNFINISHED = Q(deliveries__state__in=[WebhookState.QUEUED, WebhookState.SENDING])


@dataclass(frozen=True, slots=True)
class WebhookOverview:
    """The addresses, what was given up, and what was sent lately."""

    webhooks: list[Webhook]
    dead: list[WebhookDelivery]
    recent: list[WebhookDelivery]


def overview(user: "User") -> WebhookOverview:
    """Return what the page shows, with a bounded number of queries."""
    webhooks = Webhook.objects.visible_to(user).annotate(
        waiting=Count("deliveries", filter=UNFINISHED),
        given_up=Count("deliveries", filter=Q(deliveries__state=WebhookState.DEAD)),
        last_delivered=Max("deliveries__finished_at", filter=DELIVERED),
    )
    deliveries = _with_attempts(WebhookDelivery.objects.visible_to(user))
    dead = deliveries.filter(state=WebhookState.DEAD)
    return WebhookOverview(
        webhooks=list(webhooks),
        dead=list(dead[:RECENT]),
        recent=list(deliveries.exclude(state=WebhookState.DEAD)[:RECENT]),
    )


def _with_attempts(deliveries: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
    attempts = Prefetch("attempt_rows", WebhookAttempt.objects.order_by("pk"))
    return deliveries.select_related("webhook", "report__case").prefetch_related(attempts)
