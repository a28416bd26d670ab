"""Queries of analysers over a real line: the order known for a specimen, or no information."""

import socket
from collections.abc import Iterator

import pytest

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case
from classifier.services.cases import OrderDetails, open_case
from classifier.services.patients import register_patient
from exchange.astm.link import frames
from exchange.enums import IncomingOutcome, Protocol
from exchange.listening.astm import converse
from exchange.listening.config import Limits
from exchange.models import AnalyteCode, IncomingMessage, Sender
from tests.clinical import JANE, recent_specimen
from tests.exchange.listening import Running, connect, read_until
from tests.exchange.messages import astm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("astm_analyser")]

ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"
Records = list[list[str]]


class Analyser:
    """The other side of the line, written from the standard and not from our code."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream

    def say(self, message: bytes) -> None:
        self.stream.sendall(ENQ)
        assert self.stream.recv(1) == ACK
        self.say_in_session(message)

    def say_in_session(self, message: bytes) -> None:
        for frame in frames(message):
            self.stream.sendall(frame)
            assert self.stream.recv(1) == ACK
        self.stream.sendall(EOT)

    def hear(self, *, refuse_first: bool = False) -> Records:
        """Take the call and every frame; return the records."""
        assert self.stream.recv(1) == ENQ
        self.stream.sendall(ACK)
        text, number = b"", 0
        while (first := self.stream.recv(1)) != EOT:
            frame = first + read_until(self.stream, b"\r\n")
            if refuse_first:
                refuse_first = False
                self.stream.sendall(NAK)
                continue
            number = (number + 1) % 8
            assert frame[:2] == b"\x02%d" % number
            assert b"%02X" % (sum(frame[1:-4]) % 256) == frame[-4:-2]
            text += frame[2:-5]
            self.stream.sendall(ACK)
        return [line.split("|") for line in text.decode("ascii").strip("\r").split("\r")]


def query(*numbers: str, status: str = "O", header: str = r"H|\^&|||XN-20") -> bytes:
    asked = "\\".join(f"^{number}" for number in numbers)
    lines = [header, f"Q|1|{asked}||ALL||||||||{status}", "L|1|N"]
    return ("\r".join(lines) + "\r").encode()


@pytest.fixture
def case(technician: User) -> Case:
    """A case that waits for its results."""
    patient = register_patient(actor=technician, identity=JANE)
    order = OrderDetails(priority="stat")
    return open_case(actor=technician, patient=patient, order=order, specimen=recent_specimen())


@pytest.fixture
def line() -> Iterator[Analyser]:
    limits = Limits(answer_seconds=5, busy_seconds=0.01)
    with Running(Protocol.ASTM, converse, limits) as listener, connect(listener.port) as stream:
        yield Analyser(stream)


def test_answers_with_the_order_of_a_known_specimen(line: Analyser, case: Case) -> None:
    line.say(query(case.accession_number))
    header, patient, order, end = line.hear()
    assert (header[1], header[4], header[9], header[12]) == (
        r"\^&",
        "HEMATOVISION",
        "XN-20",
        "LIS2-A2",
    )
    assert (patient[2], patient[7], patient[8]) == (JANE.mrn, "19800101", "F")
    assert order[2] == f"^{case.accession_number}"
    assert order[4].split("\\") == ["^^^WBC", "^^^PLT", "^^^NRBC%", "^^^NRBC#"]
    assert (order[5], order[11], order[25]) == ("S", "N", "Q")
    assert end == ["L", "1", "F"]
    row = IncomingMessage.objects.get()
    assert (row.outcome, row.cases.get()) == (IncomingOutcome.ACCEPTED, case)
    assert bytes(row.replies[0]).startswith(b"H|")


def test_names_tests_as_the_analyser_does(
    line: Analyser, case: Case, astm_analyser: Sender
) -> None:
    AnalyteCode.objects.create(
        sender=astm_analyser, code="LEU", analyte="wbc", approved_at=case.registered_at
    )
    AnalyteCode.objects.create(sender=astm_analyser, code="not yet", analyte="platelets")
    line.say(query(case.accession_number))
    order = next(record for record in line.hear() if record[0] == "O")
    assert order[4].split("\\")[:2] == ["^^^LEU", "^^^PLT"]


@pytest.mark.parametrize("ended", ["", CaseStatus.REJECTED, CaseStatus.CANCELLED])
def test_says_that_there_is_no_information(line: Analyser, case: Case, ended: str) -> None:
    number = case.accession_number if ended else "HV99-999999X"
    if ended:
        Case.objects.update(status=ended)
    line.say(query(number))
    assert [record[0] for record in line.hear()] == ["H", "L"]
    line.say(query(number))
    assert line.hear()[-1] == ["L", "1", "I"]
    assert IncomingMessage.objects.count() == 2


def test_of_several_specimens_it_tells_those_that_are_known(line: Analyser, case: Case) -> None:
    line.say(query("HV99-999999X", case.accession_number))
    kinds = [record[0] for record in line.hear()]
    assert kinds == ["H", "P", "O", "L"]


def test_a_query_about_all_specimens_is_an_error(line: Analyser) -> None:
    line.say(query("ALL"))
    assert line.hear()[-1] == ["L", "1", "Q"]


def test_a_refused_frame_is_sent_again(line: Analyser, case: Case) -> None:
    line.say(query(case.accession_number))
    assert line.hear(refuse_first=True)[-1] == ["L", "1", "F"]


def test_an_analyser_that_is_busy_is_called_again(line: Analyser, case: Case) -> None:
    line.say(query(case.accession_number))
    assert line.stream.recv(1) == ENQ
    line.stream.sendall(NAK)
    assert line.hear()[-1] == ["L", "1", "F"]


def test_where_both_call_the_analyser_goes_first(line: Analyser, case: Case) -> None:
    line.say(query(case.accession_number))
    assert line.stream.recv(1) == ENQ
    line.stream.sendall(ENQ)
    assert line.stream.recv(1) == ACK
    line.say_in_session(astm(case.accession_number))
    assert line.hear()[-1] == ["L", "1", "F"]
    assert case.analyser_results.count() == 3


def test_a_request_that_is_taken_back_has_no_answer(line: Analyser, case: Case) -> None:
    line.say(query(case.accession_number, status="A"))
    line.say(query("HV99-999999X"))
    assert line.hear()[-1] == ["L", "1", "I"]


def test_answers_in_the_analysers_delimiters(line: Analyser, case: Case) -> None:
    data = query(case.accession_number).decode().replace("|\\^&|", "|~!*|").replace("^HV", "!HV")
    line.say(data.encode())
    records = line.hear()
    assert records[0][1] == "~!*"
    assert next(record for record in records if record[0] == "O")[4].startswith("!!!WBC~")
