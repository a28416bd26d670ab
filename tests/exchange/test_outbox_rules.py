"""What the database holds to of peers and outgoing messages."""

import hashlib

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from exchange.enums import DeliveryStep, OutboundState
from exchange.models import DeliveryEvent, OutboundMessage, Peer
from reports.models import Report
from tests.exchange.conftest import MakePeer

BODY = b"MSH|^~\\&|"


def _store(peer: Peer, report: Report, **changed: object) -> OutboundMessage:
    values = {
        "sequence": 1,
        "control_id": "ONE",
        "charset": peer.charset,
        "body": BODY,
        "sha256": hashlib.sha256(BODY).hexdigest(),
    }
    return OutboundMessage.objects.create(peer=peer, report=report, **(values | changed))


def test_what_a_message_says_never_changes(make_peer: MakePeer, report: Report) -> None:
    message = _store(make_peer(), report)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        OutboundMessage.objects.filter(pk=message.pk).update(body=b"MSH|^~\\&|other")
    OutboundMessage.objects.filter(pk=message.pk).update(state=OutboundState.IN_FLIGHT)


def test_no_message_step_or_peer_is_removed(make_peer: MakePeer, report: Report) -> None:
    message = _store(make_peer(), report)
    event = DeliveryEvent.objects.create(message=message, attempt=1, step=DeliveryStep.SENDING)
    for kind in (DeliveryEvent, OutboundMessage, Peer):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            kind.objects.all()._raw_delete("default")
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        DeliveryEvent.objects.filter(pk=event.pk).update(answer="MSA|AA")


def test_a_report_has_one_standing_message_per_peer(make_peer: MakePeer, report: Report) -> None:
    peer = make_peer()
    first = _store(peer, report)
    with pytest.raises(IntegrityError), transaction.atomic():
        _store(peer, report, sequence=2, control_id="TWO")
    OutboundMessage.objects.filter(pk=first.pk).update(state=OutboundState.REPLACED)
    _store(peer, report, sequence=2, control_id="TWO", replaces=first)


def test_nothing_unwritten_waits_to_be_sent(make_peer: MakePeer, report: Report) -> None:
    with pytest.raises(IntegrityError):
        _store(make_peer(), report, body=b"", sha256="")


def test_a_parked_message_says_why(make_peer: MakePeer, report: Report) -> None:
    with pytest.raises(IntegrityError):
        _store(make_peer(), report, state=OutboundState.DEAD)


@pytest.mark.parametrize("missing", [{"host": ""}, {"port": None}])
def test_a_receiver_has_an_address(make_peer: MakePeer, missing: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        make_peer(name="Results", **missing)
