"""Fixtures: messages that were told and heard, and steps of disposing of them."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from exchange.enums import DeliveryStep, OutboundState
from exchange.models import (
    DeliveryEvent,
    IncomingMessage,
    OutboundMessage,
)
from exchange.services.writing import write_missing
from reports.models import Report
from retention.enums import RecordType
from retention.models import Disposal
from retention.selectors.due_messages import list_due_months
from retention.services.carrying_out import carry_out_disposals
from retention.services.disposals import approve_disposal, propose_messages
from tests.exchange.conftest import Issue, MakePeer, issue, make_peer, report
from tests.exchange.incoming import Send
from tests.exchange.messages import oml
from tests.retention.steps import rule

__all__ = ["Issue", "issue", "make_peer", "report"]

SignIn = Callable[[User], Client]
RECEIVED, SENT = RecordType.MESSAGES_RECEIVED, RecordType.MESSAGES_SENT
LATER = 40


@pytest.fixture
def ruled(administrator: User, keeper: User) -> None:
    """Messages are kept for 30 days."""
    for kind in (RECEIVED, SENT):
        values = {"record_type": kind, "counts_from": "written", "keep_for": 30, "unit": "days"}
        rule(administrator, keeper, **values)


@pytest.fixture
def order(hospital: object, ruled: None, send: Send) -> IncomingMessage:
    """An order that was accepted, with a reply that names the patient."""
    send(oml())
    return IncomingMessage.objects.get()


@pytest.fixture
def accepted(make_peer: MakePeer, report: Report, ruled: None) -> OutboundMessage:
    """A message that its receiver took, with an answer that names the patient."""
    write_missing(make_peer())
    message = OutboundMessage.objects.get()
    DeliveryEvent.objects.create(
        message=message, attempt=1, step=DeliveryStep.ACCEPTED, detail="AA", answer="PID||Doe"
    )
    OutboundMessage.objects.update(state=OutboundState.ACCEPTED, finished_at=timezone.now())
    message.refresh_from_db()
    return message


def propose(actor: User, kind: RecordType) -> Disposal:
    months = [month.key for month in list_due_months(kind)]
    return propose_messages(actor=actor, kind=kind, disposal_id=uuid.uuid4(), months=months)


def approved(proposer: User, approver: User, kind: RecordType) -> Disposal:
    disposal = propose(proposer, kind)
    return approve_disposal(actor=approver, disposal_id=disposal.pk)


def dispose(proposer: User, approver: User, kind: RecordType) -> Disposal:
    disposal = approved(proposer, approver, kind)
    carry_out_disposals()
    disposal.refresh_from_db()
    return disposal
