"""Orders of another system, and what they do to the record."""

import uuid
from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.models import Case, Patient, Specimen
from classifier.services.cases import OrderDetails, open_case
from classifier.services.patients import Identity, register_patient
from exchange.enums import IncomingOutcome
from exchange.models import IncomingMessage, MessageCase, OrderCode, PlacedOrder, Sender
from exchange.services.keeping import Arrival
from exchange.services.receiving import receive_hl7, refuse_oversized
from tests.clinical import recent_specimen
from tests.exchange.incoming import Send, code_of
from tests.exchange.messages import PID, header, oml, orm, stamp

pytestmark = pytest.mark.usefixtures("hospital")


def counts() -> tuple[int, int, int, int]:
    """Return how many patients, cases, specimens and orders there are."""
    return (
        Patient.objects.count(),
        Case.objects.count(),
        Specimen.objects.count(),
        PlacedOrder.objects.count(),
    )


def test_a_new_order_registers_patient_and_case(send: Send) -> None:
    reply = send(oml())
    case = Case.objects.get()
    assert code_of(reply) == "AA"
    assert str(reply.segment("ORC")) == f"ORC|OK|ORD555|{case.accession_number}^HEMATOVISION"
    assert (case.status, case.priority) == (CaseStatus.REGISTERED, "stat")
    assert case.registered_by == User.system()
    assert case.patient.mrn_issuer == "GENHOSP"
    assert case.specimen.collected_at < case.specimen.received_at
    assert case.placed_order.placer_number == "ORD555"
    assert "Pallor, fever" in case.clinical_details


def test_every_message_is_kept_as_it_came_with_one_audit_event(send: Send) -> None:
    data = oml()
    send(data)
    row = IncomingMessage.objects.get()
    assert bytes(row.raw) == data
    assert row.outcome == IncomingOutcome.ACCEPTED
    assert [link.case for link in MessageCase.objects.all()] == [Case.objects.get()]
    event = AuditEvent.objects.get(action__startswith="message.")
    assert (event.action, event.actor) == ("message.accepted", User.system())
    assert "Doe" not in event.payload
    assert "MRN00777" not in event.payload


def test_the_database_keeps_messages_unchanged(send: Send) -> None:
    send(oml())
    for act in (
        lambda: IncomingMessage.objects.update(control_id="x"),
        lambda: IncomingMessage.objects.all().delete(),
    ):
        with pytest.raises(Exception, match="Cannot"), transaction.atomic():
            act()


def test_the_same_message_again_gives_the_same_answer_and_nothing_else(send: Send) -> None:
    first = send(oml())
    before, events = counts(), AuditEvent.objects.count()
    again = oml().replace(stamp().encode(), b"20300101000000", 1)
    assert again != oml()
    assert str(send(again)) == str(first)
    assert (counts(), AuditEvent.objects.count()) == (before, events)
    assert IncomingMessage.objects.count() == 1


def test_the_database_lets_a_message_take_effect_once(send: Send) -> None:
    send(oml())
    row = IncomingMessage.objects.get()
    row.pk = uuid.uuid4()
    with pytest.raises(IntegrityError, match="takes_effect_once"), transaction.atomic():
        row.save(force_insert=True)


def test_the_same_order_in_another_message_is_the_same_case(send: Send) -> None:
    first, second = send(oml()), send(oml(control_id="MSG0002"))
    assert str(first.segment("ORC")) == str(second.segment("ORC"))
    assert counts() == (1, 1, 1, 1)


def test_a_known_patient_is_found_by_number_and_issuer(send: Send) -> None:
    send(oml())
    send(oml(placer="ORD556", control_id="MSG0002", pid=PID.replace("Doe^Jane", "DOE^ jane ")))
    assert counts() == (1, 2, 2, 2)


@pytest.mark.parametrize(
    ("old", "new"),
    [("Doe^Jane", "Doe^Janet"), ("Doe^", "Smith^"), ("19800101", "19800102"), ("|F", "|M")],
)
def test_another_identity_under_a_known_number_waits_for_a_person(
    send: Send, old: str, new: str
) -> None:
    send(oml())
    before = counts()
    reply = send(oml(placer="ORD556", control_id="MSG0002", pid=PID.replace(old, new)))
    assert code_of(reply) == "AE"
    assert "belongs to a patient registered with another" in str(reply["ERR"][0][8])
    assert counts() == before
    assert IncomingMessage.objects.waiting().count() == 1
    patient = Patient.objects.get()
    assert (patient.family_name, patient.given_name, patient.sex) == ("Doe", "Jane", "female")


def test_an_unknown_sex_contradicts_nothing(send: Send) -> None:
    send(oml())
    reply = send(oml(placer="ORD556", control_id="2", pid=PID.replace("|F", "|U")))
    assert code_of(reply) == "AA"
    assert Patient.objects.get().sex == "female"


def test_a_look_alike_with_another_number_is_another_patient(send: Send, technician: User) -> None:
    send(oml())
    send(oml(placer="ORD556", control_id="2", pid=PID.replace("MRN00777", "MRN00778")))
    assert Patient.objects.count() == 2
    event = AuditEvent.objects.filter(action="patient.registered").latest("at")
    assert "General Hospital" in event.reason


def test_a_placer_number_of_another_patient_waits_for_a_person(send: Send) -> None:
    send(oml())
    other = PID.replace("MRN00777", "MRN00778").replace("Jane", "Joan")
    for control in ("NW", "XO", "CA"):
        reply = send(oml(control=control, control_id=control, pid=other))
        assert code_of(reply) == "AE"
        assert "another patient's" in str(reply["ERR"][0][8])
    assert counts() == (1, 1, 1, 1)
    assert Case.objects.get().status == CaseStatus.REGISTERED


def test_a_change_changes_what_was_sent(send: Send) -> None:
    send(oml())
    reply = send(oml(control="XO", control_id="2", priority="R", clinical="Resolved"))
    case = Case.objects.get()
    assert str(reply["ORC"][0][1]) == "XR"
    assert (case.priority, case.ordering_clinician) == ("routine", "Dr Ada Okafor")
    assert case.clinical_details.startswith("Resolved")
    event = AuditEvent.objects.get(action="case.order_changed")
    assert (event.before or {})["priority"] == "stat"


def test_a_cancellation_cancels_and_may_be_repeated(send: Send) -> None:
    send(oml())
    for control_id in ("2", "3"):
        reply = send(oml(control="CA", control_id=control_id))
        assert (code_of(reply), str(reply["ORC"][0][1])) == ("AA", "CR")
    case = Case.objects.get()
    assert (case.status, case.status_reason) == (
        CaseStatus.CANCELLED, "Cancelled by General Hospital.",
    )  # fmt: skip
    assert AuditEvent.objects.filter(action="case.cancel").count() == 1
    again = send(oml(control_id="4"))
    assert "Place it under another number" in str(again["ERR"][0][8])


@pytest.mark.parametrize("control", ["CA", "XO"])
def test_work_in_progress_is_neither_changed_nor_cancelled(send: Send, control: str) -> None:
    send(oml())
    Case.objects.update(status=CaseStatus.AWAITING_REVIEW)
    reply = send(oml(control=control, control_id="2", priority="R"))
    assert code_of(reply) == "AE"
    assert "already in progress" in str(reply["ERR"][0][8])
    assert Case.objects.get().priority == "stat"


@pytest.mark.parametrize("control", ["CA", "XO"])
def test_an_order_that_never_came_cannot_be_changed(send: Send, control: str) -> None:
    reply = send(oml(control=control))
    assert str(reply["ERR"][0][3]).startswith("204")
    assert counts() == (0, 0, 0, 0)


def test_an_old_order_without_times_says_so(send: Send) -> None:
    data = orm()
    assert code_of(send(data)) == "AA"
    specimen = Specimen.objects.get()
    assert "no time of collection" in specimen.condition_note
    assert specimen.case.patient.mrn_issuer == "GENHOSP"


@pytest.mark.parametrize(
    ("changes", "code", "location"),
    [
        ({"collected": stamp(-30)}, "102", "SPM^1^17"),
        ({"received": stamp(-30)}, "102", "SPM^1^18"),
        ({"pid": PID.replace("19800101", "20990101")}, "102", ""),
        ({"pid": PID.replace("|F", "|Q")}, "103", "PID^1^8"),
        ({"test": "2345-7^Glucose^LN"}, "103", "OBR^1^4"),
        ({"collected": stamp(2), "received": stamp(3)}, "102", ""),
    ],
)
def test_what_cannot_be_leaves_nothing_but_its_row(
    send: Send, changes: dict[str, str], code: str, location: str
) -> None:
    reply = send(oml(**changes))
    err = reply["ERR"][0]
    assert code_of(reply) == "AE"
    assert (str(err[2]), str(err[3])[:3]) == (location, code)
    assert counts() == (0, 0, 0, 0)
    assert IncomingMessage.objects.get().outcome == IncomingOutcome.REFUSED
    assert [event.action for event in AuditEvent.objects.all()] == ["message.refused"]


def test_one_bad_order_of_a_message_leaves_none(send: Send) -> None:
    lines = oml().decode().split("\r")[:-1]
    more = [line.replace("ORD555", "ORD556").replace("69738-3", "2345-7") for line in lines[2:]]
    assert code_of(send("\r".join([*lines, *more]).encode())) == "AE"
    assert counts() == (0, 0, 0, 0)


def test_what_was_refused_is_tried_again_once_the_laboratory_has_mended_it(
    send: Send, administrator: User
) -> None:
    data = oml(test="9999-9^Smear review^LN")
    assert code_of(send(data)) == "AE"
    OrderCode.objects.create(
        code="9999-9", name="Smear review", added_by=administrator, approved_at=timezone.now()
    )
    assert code_of(send(data)) == "AA"


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", oml()[:40], header("ADT^A01").encode(), header(charset="KLINGON").encode()],
)
def test_rubbish_is_rejected_and_noted(send: Send, data: bytes) -> None:
    assert code_of(send(data)) == "AR"
    assert IncomingMessage.objects.get().outcome == IncomingOutcome.REFUSED
    assert AuditEvent.objects.count() == 1


def test_strangers_are_rejected(send: Send) -> None:
    reply = send(oml().replace(b"|ORDERS|", b"|STRANGER|"))
    assert (code_of(reply), str(reply["ERR"][0][2])) == ("AR", "MSH^1^3")
    assert IncomingMessage.objects.get().sender is None


def test_a_message_too_large_is_noted_without_its_content(hospital: Sender) -> None:
    (reply,) = refuse_oversized(Arrival(oml()[:300], [hospital]), 9_999_999)
    row = IncomingMessage.objects.get()
    assert b"MSA|AR|MSG0001" in reply
    assert (bytes(row.raw), row.size, row.sender) == (b"", 9_999_999, hospital)


def test_answers_with_plain_acknowledgements_where_wanted(hospital: Sender) -> None:
    hospital.wants_plain_ack = True
    hospital.save(update_fields=["wants_plain_ack"])
    (reply,) = receive_hl7(Arrival(oml(), [hospital]))
    assert b"|ACK^O21^ACK|" in reply


def test_in_enhanced_mode_stores_and_commits(hospital: Sender) -> None:
    replies = receive_hl7(Arrival(oml(modes="AL|AL"), [hospital]))
    assert [reply.split(b"MSA|")[1][:2] for reply in replies] == [b"CA", b"AA"]
    assert receive_hl7(Arrival(oml(modes="AL|AL"), [hospital])) == replies


def test_a_patient_of_another_issuer_is_another_patient(send: Send, technician: User) -> None:
    identity = Identity("MRN00777", "ELSEWHERE", "Roe", "Ria", date(1970, 2, 2), "female")
    other = register_patient(actor=technician, identity=identity)
    open_case(actor=technician, patient=other, order=OrderDetails(), specimen=recent_specimen())
    assert code_of(send(oml())) == "AA"
    assert Patient.objects.count() == 2
