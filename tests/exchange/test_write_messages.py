"""The outbox: which reports get a message, stored once and before anything is sent."""

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from classifier.models import Case
from exchange.enums import Charset, OutboundState
from exchange.models import OutboundMessage
from exchange.services.writing import write_message, write_missing
from reports.models import Report
from tests.exchange.conftest import Issue, MakePeer
from tests.reports.conftest import Sign, ready_case, sign

__all__ = ["ready_case", "sign"]


def test_a_signed_report_has_one_message_for_each_peer(make_peer: MakePeer, report: Report) -> None:
    first, second = make_peer(), make_peer(name="Registry")
    for peer in (first, second, first, second):
        write_missing(peer)
    assert OutboundMessage.objects.count() == 2
    assert {message.report for message in OutboundMessage.objects.all()} == {report}


def test_what_is_stored_is_the_message_in_the_peers_character_set(
    make_peer: MakePeer, report: Report
) -> None:
    message = write_message(peer=make_peer(charset=Charset.LATIN_2), report=report)
    body = bytes(message.body)
    assert message.state == OutboundState.QUEUED
    assert message.sha256 == hashlib.sha256(body).hexdigest()
    text = body.decode("iso8859-2")
    assert text.startswith("MSH|^~\\&|HEMATOVISION|HVLAB|EMR|GENHOSP|")
    assert f"|{message.control_id}|T|2.5.1|" in text
    assert "|8859/2\r" in text
    assert "Varga^István" in text


def test_a_peer_gets_what_it_wants_from_the_day_it_wants_it(
    make_peer: MakePeer, case: Case, issue: Issue
) -> None:
    issue(case)
    corrected = issue(case, "corrected")
    late = make_peer(name="late", results_from=timezone.now() + timedelta(minutes=1))
    picky = make_peer(name="picky", report_statuses=["corrected"])
    assert write_missing(late) == 0
    assert write_missing(picky) == 1
    assert picky.messages.get().report == corrected


def test_versions_are_written_in_their_order(make_peer: MakePeer, case: Case, issue: Issue) -> None:
    for status in ("preliminary", "final", "corrected", "entered-in-error"):
        issue(case, status)
    peer = make_peer()
    write_missing(peer)
    found = peer.messages.order_by("sequence").values_list("report__version", flat=True)
    assert list(found) == [1, 2, 3, 4]


def test_a_report_that_cannot_be_written_is_kept_for_a_person(
    make_peer: MakePeer, report: Report
) -> None:
    peer = make_peer(charset=Charset.ASCII)
    write_missing(peer)
    message = peer.messages.get()
    assert message.state == OutboundState.UNSENDABLE
    assert "has no ä (U+00E4), á (U+00E1)" in message.problem or "U+00E1" in message.problem
    assert bytes(message.body) == b""
    event = AuditEvent.objects.get(action="result_message.unsendable")
    assert event.patient_id == report.case.patient_id
    assert write_missing(peer) == 0


def test_a_report_that_was_tampered_with_is_not_sent(
    make_peer: MakePeer, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Report, "says", property(lambda self: _raise()))
    message = write_message(peer=make_peer(), report=report)
    assert message.state == OutboundState.UNSENDABLE
    assert "differs from what was signed" in message.problem


def _raise() -> None:
    raise ValueError


def test_a_message_that_would_break_the_standard_is_not_sent(
    make_peer: MakePeer, case: Case, issue: Issue
) -> None:
    content = make_long_issuer()
    message = write_message(peer=make_peer(), report=issue(case, patient=content))
    assert message.state == OutboundState.UNSENDABLE
    assert "segment 2, PID: MaxLengthReached" in message.problem


def make_long_issuer() -> object:
    from dataclasses import replace

    from tests.reports.messages import make_full

    return replace(make_full().patient, mrn_issuer="A" * 30)


def test_the_signed_pdf_goes_along(make_peer: MakePeer, ready_case: Case, sign: Sign) -> None:
    import base64

    import hl7

    report = sign(ready_case)
    message = write_message(peer=make_peer(includes_pdf=True), report=report)
    assert message.state == OutboundState.QUEUED, message.problem
    results = hl7.parse(bytes(message.body).decode()).segments("OBX")
    file = base64.b64decode(str(results[-1][5]).split("^")[-1])
    assert hashlib.sha256(file).hexdigest() == report.pdf_sha256
