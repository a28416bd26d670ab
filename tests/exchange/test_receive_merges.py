"""ADT^A40: another system says that two records are of one person, and a person here decides."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.exceptions import DomainError, EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, Patient, PatientMerge
from classifier.services.patients import Identity, register_patient
from exchange.enums import IncomingOutcome
from exchange.models import IncomingMessage, Sender
from exchange.services.merges import MERGED, NOTHING_TO_MERGE, carry_out_merge
from exchange.services.settling import dismiss, process_again
from notifications.models import Notice
from tests.exchange.incoming import Send, code_of
from tests.exchange.messages import PID, adt_a40, oml
from tests.merging import unmerge
from tests.pages import text_of
from tests.restricting import restrict

SignIn = Callable[[User], Client]
JANE = Identity("MRN00777", "GENHOSP", "Doe", "Jane", date(1980, 1, 1), "female")


@pytest.fixture
def hospital(hospital: Sender) -> Sender:
    """The hospital's registration is trusted to propose merges."""
    hospital.takes_merges = True
    hospital.save()
    return hospital


@pytest.fixture
def survivor(hospital: Sender, technician: User) -> Patient:
    return register_patient(actor=technician, identity=JANE)


@pytest.fixture
def merged(survivor: Patient, technician: User) -> Patient:
    identity = Identity("MRN00778", "GENHOSP", "Doe", "Jane", date(1980, 1, 1), "unknown")
    return register_patient(actor=technician, identity=identity, duplicate_reason="by order")


@pytest.fixture
def proposed(survivor: Patient, merged: Patient, send: Send) -> IncomingMessage:
    assert code_of(send(adt_a40())) == "AA"
    return IncomingMessage.objects.waiting().get()


def decide(message: IncomingMessage, actor: User, reason: str = "As the hospital says.") -> None:
    carry_out_merge(message_id=message.pk, actor=actor, reason=reason)


def test_a_merge_waits_for_a_person_and_changes_nothing(
    survivor: Patient, merged: Patient, administrator: User, technician: User, send: Send
) -> None:
    reply = send(adt_a40())
    assert code_of(reply) == "AA"
    assert str(reply["MSH"][0][9]) == "ACK^A40^ACK"
    assert "decides" in str(reply["MSA"][0][3])
    assert not PatientMerge.objects.exists()
    message = IncomingMessage.objects.waiting().get()
    assert message.is_merge
    told = Notice.objects.filter(kind="exchange.merge_waits")
    assert [notice.recipient for notice in told] == [administrator]
    assert not Notice.objects.filter(recipient=technician).exists()
    assert AuditEvent.objects.filter(action="message.parked", target_id=message.pk).exists()


def test_who_merges_records_decides_and_can_take_it_back(
    proposed: IncomingMessage,
    survivor: Patient,
    merged: Patient,
    administrator: User,
    send: Send,
) -> None:
    decide(proposed, administrator)
    merge = PatientMerge.objects.get()
    assert (merge.merged, merge.survivor, merge.merged_by) == (merged, survivor, administrator)
    assert merge.reason == "As the hospital says."
    again = send(adt_a40())
    assert (code_of(again), str(again["MSA"][0][3])) == ("AA", MERGED)
    assert IncomingMessage.objects.count() == 1, "the same control ID is the same message"
    with pytest.raises(EditConflict):
        decide(proposed, administrator)
    unmerge(merge, administrator)
    merged.refresh_from_db()
    assert merged.merged_into is None


def test_who_registers_patients_does_not_decide_it(
    proposed: IncomingMessage, technician: User, administrator: User
) -> None:
    with pytest.raises(NotPermitted):
        decide(proposed, technician)
    with pytest.raises(NotPermitted):
        dismiss(message_id=proposed.pk, actor=technician, reason="No.")
    with pytest.raises(DomainError, match="Decide about the merge"):
        process_again(message_id=proposed.pk, actor=administrator, reason="Again.")
    dismiss(message_id=proposed.pk, actor=administrator, reason="Two people.")
    assert not PatientMerge.objects.exists()


def test_a_restricted_record_is_not_merged(
    proposed: IncomingMessage, merged: Patient, administrator: User, client_for: SignIn
) -> None:
    restrict(administrator, merged)
    with pytest.raises(GuardFailed, match="restricted"):
        decide(proposed, administrator)
    proposed.refresh_from_db()
    assert proposed.is_waiting


def test_a_difference_has_to_be_seen(
    survivor: Patient, technician: User, administrator: User, send: Send, client_for: SignIn
) -> None:
    other = Identity("MRN00778", "GENHOSP", "Doe", "Jane", date(1981, 2, 2), "female")
    register_patient(actor=technician, identity=other, duplicate_reason="by order")
    send(adt_a40())
    message = IncomingMessage.objects.waiting().get()
    with pytest.raises(GuardFailed, match="birth date"):
        decide(message, administrator)
    browser = client_for(administrator)
    where = reverse("exchange:incoming_merge", args=[message.pk])
    refused = browser.post(where, {"merge-reason": "One person."})
    assert refused.status_code == 422
    assert "Confirm that the birth date differs." in text_of(refused)
    browser.post(where, {"merge-reason": "One person.", "merge-birth_date": "on"})
    assert PatientMerge.objects.get().differences == ["birth_date"]


def test_numbers_that_are_not_known_are_answered_in_words(
    hospital: Sender, technician: User, send: Send
) -> None:
    neither = send(adt_a40())
    assert (code_of(neither), str(neither["MSA"][0][3])) == ("AA", NOTHING_TO_MERGE)
    register_patient(
        actor=technician, identity=Identity("MRN00778", "GENHOSP", "Doe", "Jane",
                                            date(1980, 1, 1), "female"),
    )  # fmt: skip
    reply = send(adt_a40(control_id="A2"))
    assert code_of(reply) == "AE"
    assert str(reply["ERR"][0][3]).startswith("204")
    message = IncomingMessage.objects.waiting().get()
    assert "PID-3" in message.explanation
    register_patient(actor=technician, identity=JANE, duplicate_reason="by order")
    assert message.is_waiting


def test_it_can_be_decided_once_the_surviving_record_is_registered(
    hospital: Sender, technician: User, administrator: User, send: Send
) -> None:
    identity = Identity("MRN00778", "GENHOSP", "Doe", "Jane", date(1980, 1, 1), "female")
    known = register_patient(actor=technician, identity=identity)
    send(adt_a40())
    message = IncomingMessage.objects.waiting().get()
    with pytest.raises(DomainError, match="not registered"):
        decide(message, administrator)
    survivor = register_patient(actor=technician, identity=JANE, duplicate_reason="by order")
    decide(message, administrator)
    known.refresh_from_db()
    assert known.merged_into == survivor


def test_another_identity_under_the_surviving_number_waits(
    survivor: Patient, merged: Patient, send: Send
) -> None:
    reply = send(adt_a40(pid=PID.replace("Doe", "Quine")))
    assert code_of(reply) == "AE"
    assert "another family name" in IncomingMessage.objects.waiting().get().explanation


def test_records_that_are_one_already_need_nothing(
    proposed: IncomingMessage, administrator: User, send: Send
) -> None:
    decide(proposed, administrator)
    reply = send(adt_a40(control_id="A2"))
    assert code_of(reply) == "AA"
    assert "already" in str(reply["MSA"][0][3])
    assert not IncomingMessage.objects.waiting().exists()


def test_a_sender_that_is_not_trusted_with_merges_is_rejected(
    survivor: Patient, merged: Patient, hospital: Sender, send: Send
) -> None:
    hospital.takes_merges = False
    hospital.save()
    reply = send(adt_a40())
    assert code_of(reply) == "AR"
    assert str(reply["ERR"][0][3]).startswith("201")
    assert IncomingMessage.objects.get().outcome == IncomingOutcome.REFUSED


@pytest.mark.parametrize(
    ("changed", "code", "location"),
    [
        ({"mrg": ""}, "101", "MRG^1"),
        ({"mrg": "MRG|"}, "101", "MRG^1^1"),
        ({"mrg": "MRG|MRN00777^^^GENHOSP^MR"}, "102", "MRG^1^1"),
        ({"mrg": "MRG|A^^^X^MR\rMRG|B^^^X^MR"}, "100", "MRG^2"),
        ({"pid": "PID|1||MRN00777"}, "101", "PID^1^5"),
        ({"kind": "ADT^A08^ADT_A01"}, "201", "MSH^1^9"),
    ],
)
def test_what_is_no_merge_is_refused(
    hospital: Sender, send: Send, changed: dict[str, str], code: str, location: str
) -> None:
    reply = send(adt_a40(**changed))
    assert code_of(reply) in {"AE", "AR"}
    assert str(reply["ERR"][0][2]) == location
    assert str(reply["ERR"][0][3]).startswith(code)


def test_of_several_numbers_those_of_type_mr_are_meant(
    survivor: Patient, merged: Patient, send: Send
) -> None:
    pid = PID.replace("MRN00777^^^GENHOSP^MR", "99^^^X^PI~MRN00777^^^GENHOSP^MR")
    send(adt_a40(pid=pid, mrg="MRG|98^^^X^PI~MRN00778^^^GENHOSP^MR"))
    assert IncomingMessage.objects.waiting().get().explanation.startswith("Somebody who merges")


def test_orders_for_the_old_number_are_the_survivors_afterwards(
    proposed: IncomingMessage, survivor: Patient, administrator: User, send: Send
) -> None:
    decide(proposed, administrator)
    pid = PID.replace("MRN00777", "MRN00778")
    assert code_of(send(oml(placer="ORD9", control_id="O9", pid=pid))) == "AA"
    assert Case.objects.get().patient == survivor


def test_the_page_leads_through_the_decision(
    proposed: IncomingMessage,
    survivor: Patient,
    merged: Patient,
    administrator: User,
    technician: User,
    client_for: SignIn,
) -> None:
    where = proposed.get_absolute_url()
    words = text_of(client_for(technician).get(where))
    assert "Somebody who merges patient records decides." in words
    browser = client_for(administrator)
    page = browser.get(where)
    compare = reverse("classifier:patient_merge", args=[survivor.pk, merged.pk])
    assert compare in page.content.decode()
    assert "Merge as the message says" in text_of(page)
    assert survivor.mrn not in text_of(page), "identities are shown where reading is recorded"
    answer = browser.post(
        reverse("exchange:incoming_merge", args=[proposed.pk]),
        {"merge-reason": "By identity card."},
        follow=True,
    )
    assert "The records are merged." in text_of(answer)
    assert PatientMerge.objects.get().merged == merged
