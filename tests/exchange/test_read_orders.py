"""Orders read from messages as other systems send them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from exchange.hl7v2.message import parse, read_header, unescape
from exchange.hl7v2.moments import read_date, read_moment
from exchange.hl7v2.orders import Coding, IncomingOrder, OrderControl, read_orders
from exchange.refusals import Refusal
from tests.exchange.messages import CR, PID, oml, orm

ZONE = ZoneInfo("Europe/Berlin")


def read(data: bytes) -> IncomingOrder:
    (order,) = read_orders(parse(data), zone=ZONE, default_issuer="LOCAL")
    return order


def refusal_of(data: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(data)
    return caught.value


def test_reads_every_part_of_a_new_order() -> None:
    order = read(oml(collected="20260301083000+0100", received="202603010850"))
    assert (order.control, order.placer_number) == (OrderControl.NEW, "ORD555")
    assert order.patient.number.mrn == "MRN00777"
    assert order.patient.number.issuer == "GENHOSP"
    assert (order.patient.family_name, order.patient.given_name) == ("Doe", "Jane")
    assert (order.patient.birth_date, order.patient.sex) == (date(1980, 1, 1), "female")
    assert order.tests == (Coding("69738-3", "Differential panel", "LN"),)
    assert (order.requester, order.priority) == ("Dr Ada Okafor", "stat")
    assert order.specimen_type == "edta_blood"
    assert order.collected_at == datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
    assert order.received_at == datetime(2026, 3, 1, 7, 50, tzinfo=UTC)
    assert order.clinical_details.splitlines() == [
        "Pallor, fever", "Known thalassaemia trait", "Anaemia, unspecified",
    ]  # fmt: skip


def test_reads_an_old_order_without_specimen_and_structure() -> None:
    order = read(orm())
    assert order.patient.number.issuer == "LOCAL"
    assert [coding.code for coding in order.tests] == ["DIFF", "24318-8"]
    assert (order.priority, order.requester) == ("urgent", "Gregory House")
    assert (order.collected_at, order.received_at) == (None, None)
    assert order.ordered_at is not None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_takes_line_feeds_with_a_note(end: str) -> None:
    assert read(oml(end=end)).notes == (
        "Segments ended with line feeds instead of carriage returns.",
    )
    assert read(oml()).notes == ()


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("UNICODE UTF-8", "utf-8"), ("8859/1", "latin-1"), ("8859/2", "iso8859-2"),
     ("GB 18030-2000", "gb18030")],
)  # fmt: skip
def test_decodes_what_the_header_names(charset: str, codec: str) -> None:
    pid = PID.replace("Doe^Jane", "Müller^Zoë" if codec != "iso8859-2" else "Müller^Łucja")
    data = oml(pid=pid, charset=charset).decode().encode(codec)
    assert read(data).patient.family_name == "Müller"


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("UNICODE UTF-8", "latin-1"), ("ASCII", "utf-8"), ("", "utf-8"), ("KLINGON", "utf-8")],
)
def test_refuses_bytes_outside_the_character_set(charset: str, codec: str) -> None:
    data = oml(pid=PID.replace("Jane", "Zoë"), charset=charset).decode().encode(codec)
    refusal = refusal_of(data)
    assert refusal.rejects
    assert refusal.location == "MSH^1^18"


def test_refuses_control_characters() -> None:
    assert refusal_of(oml(clinical="a\x00b")).rejects


@pytest.mark.parametrize(
    ("old", "new", "code", "location"),
    [
        ("|19800101|", "||", "101", "PID^1^7"),
        ("|19800101|", "|19801301|", "102", "PID^1^7"),
        ("|19800101|", "|1980|", "102", "PID^1^7"),
        ("|19800101|F", "|19800101|X", "103", "PID^1^8"),
        ("MRN00777", "", "101", "PID^1^3"),
        ("MRN00777", "9" * 33, "102", "PID^1^3"),
        ("Doe^Jane", "Doe", "101", "PID^1^5"),
        ("Doe^Jane^^^^^L", "", "101", "PID^1^5"),
        ("ORC|NW", "ORC|DC", "103", "ORC^1^1"),
        ("ORC|NW", "ORC|", "101", "ORC^1^1"),
        ("ORC|NW", "ZZZ|NW", "100", "ORC^1"),
        ("|S\r", "|NOW\r", "103", "TQ1^1^9"),
        ("445295009", "UR", "103", "SPM^1^4"),
        (f"||{'69738-3^Differential panel^LN'}", "||", "101", "OBR^1^4"),
        ("OBR|1|ORD555", "OBR|1|ORD556", "102", "OBR^1^2"),
        ("PID|1|", "ZID|1|", "101", "PID^1"),
        ("NTE|1|", "note|1|", "100", ""),
    ],
)
def test_refuses_what_is_missing_or_unknown_and_says_where(
    old: str, new: str, code: str, location: str
) -> None:
    text = oml().decode()
    assert old in text
    refusal = refusal_of(text.replace(old, new, 1).encode())
    assert (refusal.code, refusal.location) == (code, location)


def test_a_refusal_never_repeats_what_stands_in_the_field() -> None:
    refusal = refusal_of(oml(pid=PID.replace("|F", "|SECRET")))
    assert "SECRET" not in str(refusal)


def test_prefers_the_medical_record_number_and_the_legal_name() -> None:
    pid = "PID|1||V1^^^GENHOSP^VN~M2^^^GENHOSP^MR||Nick^Nack^^^^^N~Doe&van^Jane^^^^^L||19800101|F"
    patient = read(oml(pid=pid)).patient
    assert (patient.number.mrn, patient.family_name) == ("M2", "Doe")


def test_reads_several_orders_of_one_message() -> None:
    first = oml().decode().split(CR)
    second = [line.replace("ORD555", "ORD556") for line in first[2:]]
    data = CR.join([*first[:-1], *second]).encode()
    orders = read_orders(parse(data), zone=ZONE, default_issuer="")
    assert [order.placer_number for order in orders] == ["ORD555", "ORD556"]


def test_a_cancellation_needs_no_test() -> None:
    lines = [line for line in oml(control="CA").decode().split(CR) if line[:3] in "MSH PID ORC"]
    order = read(CR.join(lines).encode())
    assert (order.control, order.tests) == (OrderControl.CANCEL, ())


def test_notes_a_collection_without_time_of_day() -> None:
    order = read(oml(collected="20260301", received=""))
    assert order.collected_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert order.notes == ("SPM-17 gave a day without a time of day.",)


@pytest.mark.parametrize("text", ["2026", "20260230", "202603012560", "20260301+9900x", "٢٠٢٦٠٣٠١"])
def test_refuses_times_that_do_not_exist(text: str) -> None:
    with pytest.raises(Refusal):
        read_moment(text, ZONE, "OBR^1^7")
    with pytest.raises(Refusal):
        read_date("2026030", "PID^1^7")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"one\.br\two", "one\ntwo"),
        (r"\H\bold\N\ text", "bold text"),
        (r"\XC3A9\t\X00\ ", "ét\\X00\\ "),
        (r"C:\data", r"C:\data"),
        (r"trailing\F", r"trailing\F"),
    ],
)
def test_resolves_escapes_and_leaves_the_rest(text: str, plain: str) -> None:
    assert unescape(text, "|^~\\&") == plain


@pytest.mark.parametrize(
    "data",
    [b"", b"MSH", b"MSH|^~\\", b"FHS|^~\\&|x", b"\x00\x01\x02", b"MSH|^^^^|a", b"MSHabcdefgh"],
)
def test_refuses_what_has_no_usable_header(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        parse(data)
    assert caught.value.rejects


def test_reads_a_header_with_other_separators() -> None:
    assert read_header(b"MSH$%~\\&$ORDERS%X$").text(3) == "ORDERS"
