"""Any bytes whatever: the parsers refuse or read, and nothing is ever half-written."""

from contextlib import suppress
from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.models import AnalyserResult, Case, Patient, PatientMerge, Specimen
from exchange.astm.link import Delivered, Receiver, frames
from exchange.astm.records import read_astm_results, read_records
from exchange.frames import Decoder, Frame, Noise, Oversized, wrap
from exchange.hl7v2.envelope import read_envelope
from exchange.hl7v2.merges import read_merge
from exchange.hl7v2.message import digest_of, parse, read_header
from exchange.hl7v2.orders import read_orders
from exchange.hl7v2.replies import compose
from exchange.hl7v2.results import read_results
from exchange.models import IncomingMessage, MessageCase, PlacedOrder, Sender
from exchange.refusals import Refusal
from exchange.services.keeping import Arrival
from exchange.services.receiving import receive_hl7
from exchange.services.receiving_astm import receive_astm
from tests.exchange.messages import adt_a40, astm, oml, orm, oru

ENQ, EOT = b"\x05", b"\x04"
EXAMPLES = 400
WITH_DATABASE = 60
SEEDS = [
    oml(), oml(control="CA"), orm(), adt_a40(), oru("HV26-0000012"), astm("HV26-0000012"),
]  # fmt: skip
PIECES = [
    b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x00", b"\x0b", b"\x1c", b'""', b"\xff", b"MSH|",
    b"\r\r", b"ORC|NW|", b"OBX|1|NM|", "\u0660".encode(), b"9" * 70, b"\\X00\\", b"20260230",
    b"\xc3",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a real message with pieces cut out, put in and swapped."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=12))
        data = data[:start] + piece + data[end:]
    return data


anything = st.binary(max_size=400) | damaged()
quietly = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


@quietly
@given(anything)
def test_a_message_is_read_or_refused(data: bytes) -> None:
    digest_of(data)
    with suppress(Refusal):
        read_orders(parse(data), zone=UTC, default_issuer="X")
    with suppress(Refusal):
        read_merge(parse(data), default_issuer="X")
    with suppress(Refusal):
        read_results(parse(data, "8859/1"), zone=UTC)


@quietly
@given(anything)
def test_whatever_has_a_header_is_answered_in_whole_segments(data: bytes) -> None:
    try:
        envelope = read_envelope(read_header(data))
    except Refusal:
        return
    for reply in compose(envelope, reply_id="R", refusal=Refusal("No.", rejects=True)):
        segments = reply.decode().split("\r")
        assert [segment[:3] for segment in segments] == ["MSH", "MSA", "ERR", ""]


@quietly
@given(anything)
def test_records_are_read_or_refused(data: bytes) -> None:
    with suppress(Refusal):
        read_astm_results(read_records(data.decode("latin-1")), zone=UTC)


@quietly
@given(st.lists(st.binary(max_size=50), max_size=12), st.data())
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    messages: list[bytes], data: st.DataObject
) -> None:
    clean = [bytes(sign for sign in message if sign not in b"\x0b\x1c") for message in messages]
    stream = b"".join(wrap(message) for message in clean)
    decoder, events, at = Decoder(100), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, 40))
        events += decoder.feed(stream[at : at + step])
        at += step
    assert events == [Frame(message) for message in clean]


@quietly
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_the_frame_decoder_takes_any_bytes_and_keeps_few(parts: list[bytes]) -> None:
    decoder = Decoder(60)
    for part in parts:
        for event in decoder.feed(part):
            assert isinstance(event, Noise | Oversized) or len(event.data) <= 60


@quietly
@given(
    st.lists(st.binary(max_size=80) | st.sampled_from([b"\x05", b"\x04"]), max_size=12),
    st.booleans(),
)
def test_the_astm_receiver_takes_any_bytes(parts: list[bytes], is_stored: bool) -> None:
    link = Receiver(500)
    for part in [b"\x05", *frames(b"H|\\^&\rL|1\r"), *parts]:
        link.feed(part)
        for action in link.actions():
            if isinstance(action, Delivered):
                assert link.confirm(is_stored=is_stored) in {b"\x06", b"\x15"}
    link.time_out()


@pytest.fixture
def senders(hospital: Sender, analyser: Sender) -> list[Sender]:
    hospital.takes_merges = True
    hospital.save()
    return [hospital, analyser]


def test_nothing_is_ever_half_written(senders: list[Sender], astm_analyser: Sender) -> None:
    @settings(
        max_examples=WITH_DATABASE, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    @given(damaged())
    def check(data: bytes) -> None:
        known = IncomingMessage.objects.count()
        if data.startswith(b"H"):
            receive_astm(Arrival(data, [astm_analyser]))
        else:
            assert receive_hl7(Arrival(data, senders)) or b"NE" in data
        assert IncomingMessage.objects.count() - known in {0, 1}
        assert Case.objects.count() == Specimen.objects.count() == PlacedOrder.objects.count()
        linked = MessageCase.objects.values("case")
        assert not Case.objects.exclude(pk__in=linked).exists()
        assert not Patient.objects.filter(cases=None).exists()
        assert not PatientMerge.objects.exists()
        assert not AnalyserResult.objects.exclude(case__in=linked).exists()

    check()
