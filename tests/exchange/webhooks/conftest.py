"""Fixtures: a receiver of webhooks that can die, and webhooks that call it."""

import base64
import hashlib
import hmac
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from exchange.enums import WebhookContent, WebhookState
from exchange.models import Webhook, WebhookDelivery
from exchange.services.webhooks import add_webhook
from tests.exchange.conftest import ROOT
from tests.exchange.journals import read_journal

ClientFor = Callable[[User], Client]


class Receiver:
    """An HTTP server in another process, started again where it died."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "webhooks"
        self.journal.touch()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen[str] | None = None

    def start(self, *conversation: str) -> None:
        module = "tests.exchange.webhook_receiver"
        command = [sys.executable, "-m", module, str(self.port), str(self.journal), *conversation]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "listening\n"

    def wait_for_death(self) -> None:
        assert self.process is not None
        self.process.communicate(timeout=20)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def calls(self) -> list[dict[str, Any]]:
        return read_journal(self.journal)


@pytest.fixture(autouse=True)
def _allowed(settings) -> None:  # type: ignore[no-untyped-def]
    settings.WEBHOOK_LOOPBACK = True
    settings.WEBHOOK_SECONDS = 5.0


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    found = Receiver(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def webhook(administrator: User, receiver: Receiver) -> Webhook:
    return add(administrator, f"http://127.0.0.1:{receiver.port}/in")


def add(actor: User, url: str, **details: Any) -> Webhook:
    wanted: dict[str, Any] = {"name": "Ward", "content": WebhookContent.REFERENCE} | details
    return add_webhook(actor=actor, webhook_id=uuid.uuid4(), url=url, **wanted)


def let_time_pass() -> None:
    """End all pauses and leases."""
    past = timezone.now() - timedelta(seconds=1)
    waiting = WebhookDelivery.objects.filter(state=WebhookState.SENDING)
    waiting.update(lease_until=past)
    WebhookDelivery.objects.update(due_at=past)


def verify(secret: str, call: dict[str, Any]) -> bool:
    """Verify a call as a receiver would, by the specification alone."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    headers = call["headers"]
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{call['body']}".encode()
    digest = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return f"v1,{digest}" in headers["webhook-signature"].split()
