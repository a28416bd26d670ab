"""Fixtures: receivers of results in processes of their own, peers, and reports to send."""

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.models import Case
from exchange.models import OutboundMessage, Peer
from reports.content import Coded
from reports.models import Report, SignOff
from tests.exchange.journals import read_journal
from tests.reports.contents import make_signature
from tests.reports.messages import make_full

ROOT = Path(__file__).resolve().parents[2]

MakePeer = Callable[..., Peer]
Issue = Callable[..., Report]
StartReceiver = Callable[..., "ReceiverProcess"]


class ReceiverProcess:
    """A receiver that listens on a port of its own and can be started again after its death."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.journal = folder / "journal"
        self.journal.touch()
        self.environment = os.environ | environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen[str] | None = None

    def start(self, *conversation: str) -> None:
        """Listen; answer as the conversation says, then accept all."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.exchange.receiver", str(self.port), str(self.journal),
             *conversation],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "listening\n"

    def wait_for_death(self) -> None:
        assert self.process is not None
        self.process.communicate(timeout=20)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def seen(self) -> list[dict[str, Any]]:
        """Return what was read, in order."""
        return read_journal(self.journal)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[StartReceiver]:
    """Return a starter of receivers that answer as they are told."""
    with ExitStack() as running:

        def start(*conversation: str, **environment: str) -> ReceiverProcess:
            process = ReceiverProcess(tmp_path, environment)
            running.callback(process.stop)
            process.start(*conversation)
            return process

        yield start


@pytest.fixture
def make_peer(db: None) -> MakePeer:
    """Return a maker of active peers that take results, at an address where nobody listens."""

    def make(**changed: object) -> Peer:
        values: dict[str, object] = {
            "name": "Ward system",
            "is_active": True,
            "host": "127.0.0.1",
            "port": 9,
            "uses_tls": False,
            "application": "EMR",
            "facility": "GENHOSP",
            "includes_pdf": False,
            "results_from": datetime(2026, 1, 1, tzinfo=UTC),
            "answer_seconds": 5,
        }
        return Peer.objects.create(**(values | changed))

    return make


@pytest.fixture
def issue(pathologist: User) -> Issue:
    """Return a maker of signed versions: what they say is made up, how they are stored is not."""

    def make(case: Case, status: str = "final", **changed: object) -> Report:
        last = case.reports.order_by("-version").first()
        version = last.version + 1 if last else 1
        report_id = uuid.uuid4()
        content = make_full(status, version=version, **changed)
        content = replace(content, status=Coded(status, status)).signed(
            make_signature(report_id=str(report_id))
        )
        report = Report.objects.create(
            id=report_id,
            case=case,
            version=version,
            status=status,
            supersedes=last,
            reason="" if status in ("final", "preliminary") else "A cell was misread.",
            content=content.to_json(),
            content_sha256=content.content_sha256,
            pdf="reports/none.pdf",
            pdf_sha256="0" * 64,
            issued_at=timezone.now(),
        )
        _sign(report, pathologist)
        return report

    return make


def _sign(report: Report, signer: User) -> None:
    SignOff.objects.create(
        report=report,
        signer=signer,
        signer_name=signer.full_name,
        meaning="approval",
        signed_at=report.issued_at,
        draft_sha256="0" * 64,
        content_sha256=report.content_sha256,
        pdf_sha256=report.pdf_sha256,
        reauthenticated_by="password",
        reauthenticated_at=report.issued_at,
    )


@pytest.fixture
def report(case: Case, issue: Issue) -> Report:
    """A signed first version whose PDF is not made."""
    return issue(case)


def let_time_pass(peer: Peer) -> None:
    """End all pauses of a peer and its messages."""
    OutboundMessage.objects.filter(peer=peer).update(due_at=timezone.now())
    Peer.objects.filter(pk=peer.pk).update(contact_after=None)
    peer.refresh_from_db()


def steps_of(message: OutboundMessage) -> list[str]:
    """Return what happened to a message, in order."""
    return list(message.events.order_by("pk").values_list("step", flat=True))
