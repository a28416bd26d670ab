"""Webhooks' sender dies by SIGKILL: nothing is lost, and what comes again bears the same id."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from django.db import connection

from classifier.models import Case
from exchange.enums import WebhookState
from exchange.models import Webhook, WebhookDelivery
from exchange.services.webhook_delivery import tell_webhooks
from reports.models import Report
from tests.exchange.conftest import ROOT, Issue
from tests.exchange.webhooks.conftest import Receiver, let_time_pass
from tests.faults.site import wait_until

StartSender = Callable[[], "subprocess.Popen[bytes]"]

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

TELL = """
from django.conf import settings
from exchange.services.webhook_delivery import tell_webhooks
settings.WEBHOOK_LOOPBACK, settings.WEBHOOK_SECONDS = True, 60.0
tell_webhooks()
"""


@pytest.fixture
def sender() -> Iterator[StartSender]:
    """Return a starter of processes that tell webhooks once, on the test's database."""
    path = f"/{connection.settings_dict['NAME']}"
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=path).geturl()
    own = {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    environment = os.environ | own
    with ExitStack() as running:

        def start() -> "subprocess.Popen[bytes]":
            command = [sys.executable, "manage.py", "shell", "-v0", "-c", TELL]
            process = subprocess.Popen(command, cwd=ROOT, env=environment)
            running.callback(process.wait)
            running.callback(process.kill)
            return process

        yield start


def _kill_when_called(sender: StartSender, receiver: Receiver, calls: int) -> None:
    """Start a sender, and kill it once the receiver has read its call and not answered."""
    process = sender()
    wait_until(lambda: len(receiver.calls()) == calls, "the call was read", 60)
    process.kill()
    process.wait()


def _check_once(receiver: Receiver, number: int) -> None:
    """Check that the receiver knows each delivery once by id, and each the same, as stored."""
    calls = receiver.calls()
    bodies = {call["headers"]["webhook-id"]: call["body"] for call in calls}
    assert len(bodies) == number
    assert all(bodies[call["headers"]["webhook-id"]] == call["body"] for call in calls)
    stored = {str(row.pk): bytes(row.body).decode() for row in WebhookDelivery.objects.all()}
    assert bodies == stored
    states = set(WebhookDelivery.objects.values_list("state", flat=True))
    assert states == {WebhookState.DELIVERED}


def test_the_sender_is_killed_between_call_and_record(
    webhook: Webhook, receiver: Receiver, report: Report, sender: StartSender
) -> None:
    receiver.start("silent")
    _kill_when_called(sender, receiver, calls=1)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == (WebhookState.SENDING, 1)
    assert tell_webhooks() == 0, "nobody else sends while the lease runs"
    receiver.stop()
    receiver.start()
    let_time_pass()
    assert tell_webhooks() == 1
    assert len(receiver.calls()) == 2
    _check_once(receiver, 1)
    assert [row.number for row in delivery.attempt_rows.all()] == [2]


def test_senders_and_receivers_die_in_turn_and_every_report_is_told_once(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue, sender: StartSender
) -> None:
    for status in ("final", "corrected", "corrected"):
        issue(case, status)
    receiver.start("silent")
    _kill_when_called(sender, receiver, calls=1)
    receiver.stop()
    receiver.start("die")
    let_time_pass()
    sender().wait()
    receiver.wait_for_death()
    receiver.start("200", "silent")
    let_time_pass()
    _kill_when_called(sender, receiver, calls=4)
    receiver.stop()
    receiver.start()
    let_time_pass()
    tell_webhooks()
    versions = [call["body"].count('"version": 3') for call in receiver.calls()]
    assert versions == sorted(versions), "no correction overtakes what it corrects"
    _check_once(receiver, 3)
