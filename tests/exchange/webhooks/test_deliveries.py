"""Deliveries of webhooks: nothing is lost when the receiver or the sender dies."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.models import Case
from exchange.enums import WebhookState
from exchange.models import Webhook, WebhookDelivery
from exchange.services.webhook_delivery import (
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    claim_next,
    pause_after,
    record_attempt,
    tell_webhooks,
)
from exchange.services.webhooks import send_again, set_active
from tests.exchange.conftest import Issue
from tests.exchange.webhooks.conftest import Receiver, add, let_time_pass


def test_nothing_is_lost_when_the_receiver_dies_with_the_call_in_hand(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue
) -> None:
    issue(case)
    for _ in range(3):
        receiver.start("die")
        tell_webhooks()
        receiver.wait_for_death()
        let_time_pass()
    tell_webhooks()  # nobody listens
    let_time_pass()
    receiver.start()
    tell_webhooks()
    assert len(receiver.calls()) == 4
    assert len({call["headers"]["webhook-id"] for call in receiver.calls()}) == 1
    assert len({call["body"] for call in receiver.calls()}) == 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == (WebhookState.DELIVERED, 5)
    assert [row.status for row in delivery.attempt_rows.all()] == [None] * 4 + [200]


def test_nothing_is_lost_when_the_sender_dies_between_call_and_record(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue
) -> None:
    issue(case)
    receiver.start()
    tell_webhooks(seconds=0)
    dead = claim_next()
    assert dead is not None
    assert claim_next() is None, "nobody else sends while the lease runs"
    let_time_pass()
    assert tell_webhooks() == 1
    assert not record_attempt(dead, status=500, detail="late"), "who was given up changes nothing"
    assert WebhookDelivery.objects.get().state == WebhookState.DELIVERED


@pytest.mark.parametrize("answer", ["500", "404", "redirect", "drip"])
def test_what_isnt_taken_is_tried_again_later(
    webhook: Webhook,
    receiver: Receiver,
    case: Case,
    issue: Issue,
    answer: str,
    settings: Any,
) -> None:
    settings.WEBHOOK_SECONDS = 0.6
    receiver.start(answer)
    issue(case)
    tell_webhooks()
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == WebhookState.QUEUED
    assert delivery.due_at > timezone.now()
    assert delivery.problem
    assert [call["path"] for call in receiver.calls()] == ["/in"]


def test_an_answer_without_end_is_not_read(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue
) -> None:
    receiver.start("flood")
    issue(case)
    tell_webhooks()
    assert WebhookDelivery.objects.get().state == WebhookState.DELIVERED


def test_an_address_that_fails_keeps_no_other_waiting(
    webhook: Webhook, receiver: Receiver, administrator: User, case: Case, issue: Issue
) -> None:
    add(administrator, "http://127.0.0.1:9/", name="Away")
    receiver.start()
    for status in ("final", "corrected"):
        issue(case, status)
    tell_webhooks()
    assert len(receiver.calls()) == 2


def test_what_is_given_up_is_said_and_sent_again_by_a_person(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue, administrator: User
) -> None:
    issue(case)
    for _ in range(MOST_ATTEMPTS):
        tell_webhooks()
        let_time_pass()
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == WebhookState.DEAD
    assert AuditEvent.objects.filter(action="webhook.given_up").count() == 1
    assert tell_webhooks() == 0
    receiver.start()
    send_again(actor=administrator, delivery_id=delivery.pk)
    assert tell_webhooks() == 1
    assert receiver.calls()[0]["headers"]["webhook-id"] == str(delivery.pk)


def test_an_address_that_is_gone_is_not_asked_again(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue
) -> None:
    receiver.start("410")
    issue(case)
    tell_webhooks()
    assert WebhookDelivery.objects.get().state == WebhookState.DEAD


def test_pauses_grow_and_have_an_end() -> None:
    for failures in (1, 2, 5, 40):
        doubled = min(timedelta(seconds=10) * 2 ** min(failures - 1, 20), LONGEST_PAUSE)
        assert doubled / 2 <= pause_after(failures) <= doubled


def test_a_stopped_webhook_waits_and_then_catches_up(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue, administrator: User
) -> None:
    receiver.start()
    set_active(actor=administrator, webhook_id=webhook.pk, is_active=False)
    issue(case)
    assert tell_webhooks() == 0
    set_active(actor=administrator, webhook_id=webhook.pk, is_active=True)
    assert tell_webhooks() == 1


def test_a_delivery_is_never_reworded_or_removed(
    webhook: Webhook, case: Case, issue: Issue
) -> None:
    issue(case)
    tell_webhooks(seconds=0)
    delivery = WebhookDelivery.objects.get()
    for change in (
        lambda: WebhookDelivery.objects.update(body=b"{}"),
        delivery.delete,
        webhook.delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
