"""Acknowledgements, held against two other libraries."""

from datetime import date

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from exchange.hl7v2.envelope import check, read_envelope
from exchange.hl7v2.message import read_header
from exchange.hl7v2.people import IncomingPatient, PatientNumber
from exchange.hl7v2.replies import Done, OrderReply, compose
from exchange.refusals import Refusal
from tests.exchange.messages import header, oml, orm

JANE = IncomingPatient(
    PatientNumber("MRN00777", "GENHOSP"), "Doe", "Jane", date(1980, 1, 1), "female"
)
REFUSAL = Refusal("The birth date | is missing.", code="101", location="PID^1^7")


def answers(data: bytes, refusal: Refusal | None = None, *, plain: bool = False) -> list[bytes]:
    envelope = read_envelope(read_header(data))
    done = None if refusal else Done(JANE, (OrderReply("OK", "ORD555", "HV26-000001"),))
    return list(compose(envelope, reply_id="R1", refusal=refusal, done=done, plain=plain))


def test_echoes_the_control_id_and_swaps_sender_and_receiver() -> None:
    (reply,) = answers(oml(control_id="ABC"))
    message = hl7.parse(reply.decode())
    assert str(message.segment("MSA")) == "MSA|AA|ABC"
    assert str(message["MSH"][0][3]) == "HEMATOVISION"
    assert [str(message["MSH"][0][n]) for n in (4, 5, 6)] == ["HVLAB", "ORDERS", "GENHOSP"]
    assert str(message["MSH"][0][9]) == "ORL^O22^ORL_O22"
    assert str(message.segment("ORC")) == "ORC|OK|ORD555|HV26-000001^HEMATOVISION"


def test_says_where_and_why_a_message_is_refused() -> None:
    (reply,) = answers(oml(), REFUSAL)
    message = hl7.parse(reply.decode())
    assert str(message["MSA"][0][1]) == "AE"
    err = message["ERR"][0]
    assert [str(err[n]) for n in (2, 3, 4)] == [
        "PID^1^7", "101^Required field missing^HL70357", "E",
    ]  # fmt: skip
    assert str(err[8]) == "The birth date \\F\\ is missing."


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("refusal", [None, REFUSAL])
def test_is_valid_by_the_standard(plain: bool, refusal: Refusal | None) -> None:
    (reply,) = answers(oml(), refusal, plain=plain)
    message = parse_message(reply.decode(), validation_level=VALIDATION_LEVEL.STRICT)
    assert message.validate()


def test_answers_an_old_system_in_its_own_version() -> None:
    (reply,) = answers(orm(), REFUSAL)
    message = hl7.parse(reply.decode())
    assert str(message["MSH"][0][9]) == "ORR^O02"
    assert str(message["MSH"][0][12]) == "2.3"
    assert str(message["ERR"][0][1]) == "PID^1^7^101&Required field missing&HL70357"


@pytest.mark.parametrize(
    ("modes", "refusal", "codes"),
    [
        ("|", None, ["AA"]),
        ("AL|NE", None, ["CA"]),
        ("AL|AL", None, ["CA", "AA"]),
        ("NE|AL", None, ["AA"]),
        ("NE|NE", None, []),
        ("XX|", None, ["CA"]),
        ("ER|SU", None, ["AA"]),
        ("ER|SU", REFUSAL, ["CE"]),
        ("AL|ER", REFUSAL, ["CE", "AE"]),
        ("AL|NE", Refusal("No.", code="200", rejects=True), ["CR"]),
    ],
)
def test_acknowledges_as_the_sender_asks(
    modes: str, refusal: Refusal | None, codes: list[str]
) -> None:
    replies = answers(oml(modes=modes), refusal)
    assert [str(hl7.parse(reply.decode())["MSA"][0][1]) for reply in replies] == codes


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"kind": "BAR^P01"}, "200"),
        ({"kind": "ADT^A01"}, "201"),
        ({"kind": "OML^O33"}, "201"),
        ({"processing": "T"}, "202"),
        ({"version": "2.8"}, "203"),
        ({"control_id": ""}, "101"),
        ({"control_id": "9" * 200}, "101"),
    ],
)
def test_rejects_kinds_that_are_not_taken(head: dict[str, str], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        check(read_envelope(read_header(header(**head).encode())))
    assert (caught.value.code, caught.value.rejects) == (code, True)
