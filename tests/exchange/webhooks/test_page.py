"""The page of webhooks: what it shows once, refuses and sends again, and to whom."""

import json
import uuid
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.models import Case
from exchange.enums import WebhookState
from exchange.models import Webhook, WebhookDelivery
from exchange.services.webhook_delivery import (
    tell_webhooks,
)
from exchange.webhooks.signing import secret_text
from reports.models import Report
from tests.exchange.conftest import Issue
from tests.exchange.webhooks.conftest import ClientFor, add


def test_the_secret_is_shown_once(administrator: User, client_for: ClientFor) -> None:
    client = client_for(administrator)
    form = {
        "webhook_id": str(uuid.uuid4()),
        "name": "Ward",
        "url": "https://hospital.example/in",
        "content": "reference",
    }
    made = client.post(reverse("webhooks:list"), form)
    secret = secret_text(Webhook.objects.get())
    assert secret in made.content.decode()
    again = client.post(reverse("webhooks:list"), form)
    assert again.status_code == 302
    page = client.get(reverse("webhooks:list"))
    assert secret not in page.content.decode()
    assert "https://hospital.example/in" in page.content.decode()
    event = AuditEvent.objects.get(action="webhook.added")
    assert "hospital.example" not in json.dumps(event.after)


def test_a_refused_address_is_said_on_the_page(administrator: User, client_for: ClientFor) -> None:
    form = {"webhook_id": str(uuid.uuid4()), "name": "Ward", "content": "reference"}
    page = client_for(administrator).post(
        reverse("webhooks:list"), form | {"url": "http://hospital.example/"}
    )
    assert page.status_code == 422
    assert "has to begin with https://" in page.content.decode()


def test_an_administrator_sees_what_was_given_up_and_sends_it_again(
    administrator: User, client_for: ClientFor, case: Case, issue: Issue
) -> None:
    webhook = add(administrator, "http://127.0.0.1:9/")
    issue(case)
    tell_webhooks()
    delivery = WebhookDelivery.objects.get()
    WebhookDelivery.objects.update(
        state=WebhookState.DEAD, problem="After attempt 12", finished_at=timezone.now()
    )
    client = client_for(administrator)
    assert "Given up" in client.get(reverse("webhooks:list")).content.decode()
    client.post(reverse("webhooks:replay", args=[delivery.pk]))
    delivery.refresh_from_db()
    assert delivery.state == WebhookState.QUEUED
    assert AuditEvent.objects.filter(action="webhook.replayed").exists()
    for name, is_active in (("stop", False), ("start", True)):
        client.post(reverse(f"webhooks:{name}", args=[webhook.pk]))
        webhook.refresh_from_db()
        assert webhook.is_active is is_active
    page = client.post(reverse("webhooks:renew", args=[webhook.pk, 1]))
    webhook.refresh_from_db()
    assert secret_text(webhook) in page.content.decode()


def test_the_page_costs_the_same_for_many(
    administrator: User, client_for: ClientFor, case: Case, issue: Issue,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for number in range(4):
        add(administrator, "http://127.0.0.1:9/", name=f"Ward {number}")
    issue(case)
    tell_webhooks()
    client = client_for(administrator)
    with django_assert_max_num_queries(20):
        client.get(reverse("webhooks:list"))
    assert Report.objects.count() == 1
