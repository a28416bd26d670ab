"""Webhooks: what is said, in which order, and how it is signed."""

import json
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from classifier.models import Case
from exchange.enums import WebhookContent, WebhookState
from exchange.models import Webhook, WebhookDelivery
from exchange.services.webhook_delivery import (
    tell_webhooks,
)
from exchange.services.webhooks import renew_secret
from exchange.webhooks.signing import secret_text, signed_headers
from tests.exchange.conftest import Issue
from tests.exchange.webhooks.conftest import Receiver, add, let_time_pass, verify
from tests.reports.conftest import ANSWERS, intent_for, proof_of
from tests.reports.fhir_sources import faults_of
from tests.reviewing import MakeCase


def test_a_report_is_told_once_signed_and_without_identities(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue
) -> None:
    receiver.start()
    report = issue(case)
    assert tell_webhooks() == 1
    assert tell_webhooks() == 0
    (call,) = receiver.calls()
    assert verify(secret_text(webhook), call)
    assert not verify(secret_text(webhook), call | {"body": call["body"] + " "})
    said = json.loads(call["body"])
    assert said["type"] == "report.issued"
    assert said["data"]["report"] == str(report.pk)
    assert said["data"]["links"]["pdf"].endswith(f"/fhir/Binary/{report.pk}")
    for identity in (case.patient.family_name, case.patient.mrn, case.accession_number):
        assert identity not in call["body"]
    delivery = WebhookDelivery.objects.get()
    assert call["headers"]["webhook-id"] == str(delivery.pk)
    assert delivery.state == WebhookState.DELIVERED


def test_a_correction_and_a_withdrawal_are_told_in_their_order(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue
) -> None:
    receiver.start("500")
    for status in ("final", "corrected", "entered-in-error"):
        issue(case, status)
    tell_webhooks()
    assert len(receiver.calls()) == 1, "no version overtakes one that isn't delivered"
    let_time_pass()
    tell_webhooks()
    told = [json.loads(call["body"]) for call in receiver.calls()]
    assert [item["type"] for item in told] == [
        "report.issued",
        "report.issued",
        "report.corrected",
        "report.withdrawn",
    ]
    assert [item["data"]["version"] for item in told] == [1, 1, 2, 3]


def test_reports_from_before_are_not_told(
    case: Case, issue: Issue, administrator: User, receiver: Receiver
) -> None:
    issue(case)
    add(administrator, f"http://127.0.0.1:{receiver.port}/in")
    assert tell_webhooks() == 0


def test_for_a_day_both_secrets_hold(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue, administrator: User
) -> None:
    old = secret_text(webhook)
    for _ in range(2):
        renewed = renew_secret(actor=administrator, webhook_id=webhook.pk, generation=1)
    assert renewed.generation == 2
    receiver.start()
    issue(case)
    tell_webhooks()
    (call,) = receiver.calls()
    assert verify(old, call)
    assert verify(secret_text(renewed), call)
    delivery = WebhookDelivery.objects.select_related("webhook").get()
    later = signed_headers(delivery, at=timezone.now() + timedelta(hours=25))
    assert len(later["webhook-signature"].split()) == 1


def test_a_webhook_may_carry_the_report_itself(
    classified_case: MakeCase, receiver: Receiver, administrator: User, pathologist: User
) -> None:
    from reports.services.sign_off import sign_off_case

    address = f"http://127.0.0.1:{receiver.port}/in"
    add(administrator, address, content=WebhookContent.BUNDLE)
    case = classified_case(ANSWERS, in_review=True)
    sign_off_case(
        case_id=case.pk,
        actor=pathologist,
        intent=intent_for(case),
        reauthentication=proof_of(pathologist),
    )
    receiver.start()
    tell_webhooks()
    (call,) = receiver.calls()
    assert call["headers"]["content-type"] == "application/fhir+json"
    bundle = json.loads(call["body"])
    assert bundle["type"] == "transaction"
    assert faults_of(bundle) == []
