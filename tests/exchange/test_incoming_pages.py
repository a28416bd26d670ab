"""The pages of messages that came in, and what people settle there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.exceptions import DomainError, EditConflict, GuardFailed, NotPermitted
from classifier.models import AnalyserResult, Case, Patient
from classifier.services.cases import OrderDetails, open_case
from exchange.models import (
    AnalyteCode,
    IncomingMessage,
    OrderCode,
    PlacedOrder,
    Sender,
    Settlement,
)
from exchange.services.settling import dismiss, process_again
from exchange.services.specimens import match_to_case, pending_specimens
from tests.clinical import recent_specimen
from tests.exchange.incoming import Send, code_of
from tests.exchange.messages import PID, oml, oru
from tests.factories import UserFactory

SignIn = Callable[[User], Client]
LIST = "/exchange/incoming/"

pytestmark = pytest.mark.usefixtures("hospital", "analyser")


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def parked_order(send: Send) -> IncomingMessage:
    """An order whose patient's number is registered with another name."""
    send(oml())
    send(oml(placer="ORD2", control_id="2", pid=PID.replace("Doe", "Quine")))
    return IncomingMessage.objects.waiting().get()


@pytest.fixture
def parked_result(send: Send) -> IncomingMessage:
    """Results of a specimen that nobody knows."""
    send(oru("RACK-17"))
    return IncomingMessage.objects.waiting().get()


def test_lists_messages_with_their_outcome(
    client_for: SignIn, technician: User, parked_order: IncomingMessage
) -> None:
    text = page(client_for(technician), LIST)
    for words in ("1 message waits for a person", "OML^O21", "General Hospital", "Accepted"):
        assert words in text
    assert Case.objects.get().accession_number in text
    for name in ("Quine", "MRN00777"):
        assert name not in text


@pytest.mark.parametrize(("outcome", "rows"), [("waiting", 1), ("accepted", 1), ("refused", 0)])
def test_filters_by_outcome_and_says_when_nothing_matches(
    client_for: SignIn,
    technician: User,
    parked_order: IncomingMessage,
    outcome: str,
    rows: int,
) -> None:
    text = page(client_for(technician), f"{LIST}?outcome={outcome}&kind=orders")
    assert text.count('<td data-label="Message">') == rows
    assert ("Nothing matches" in text) is not bool(rows)


def test_an_empty_list_says_what_comes_here(client_for: SignIn, administrator: User) -> None:
    assert "No message has come in yet" in page(client_for(administrator), LIST)


@pytest.mark.parametrize("who", ["pathologist", "consultant", "learner"])
def test_others_see_none_of_it(
    request: pytest.FixtureRequest, client_for: SignIn, parked_order: IncomingMessage, who: str
) -> None:
    client = client_for(request.getfixturevalue(who))
    for address in (LIST, parked_order.get_absolute_url(), reverse("exchange:senders")):
        assert client.get(address).status_code == 403


def test_the_list_asks_the_database_a_bounded_number_of_times(
    client_for: SignIn,
    technician: User,
    send: Send,
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    for number in range(12):
        send(oml(placer=f"P{number}", control_id=str(number)))
    client = client_for(technician)
    page(client, LIST)
    with django_assert_max_num_queries(14):
        page(client, LIST)


def test_hides_identities_until_asked_and_records_that(
    client_for: SignIn, administrator: User, parked_order: IncomingMessage
) -> None:
    client = client_for(administrator)
    assert "Quine" not in page(client, parked_order.get_absolute_url())
    assert not AuditEvent.objects.filter(action="message.read").exists()
    shown = client.post(reverse("exchange:incoming_reveal", args=[parked_order.pk]))
    assert "Quine" in shown.content.decode()
    event = AuditEvent.objects.get(action="message.read")
    assert (event.actor, event.target_id) == (administrator, str(parked_order.pk))


def test_administrators_look_and_settle_nothing(
    client_for: SignIn, administrator: User, parked_order: IncomingMessage
) -> None:
    client = client_for(administrator)
    assert "Process again" not in page(client, parked_order.get_absolute_url())
    address = reverse("exchange:incoming_dismiss", args=[parked_order.pk])
    assert client.post(address, {"dismiss-reason": "x"}).status_code == 403


def test_results_are_matched_to_the_case_that_a_person_names(
    client_for: SignIn, technician: User, case: Case, parked_result: IncomingMessage
) -> None:
    client = client_for(technician)
    address = reverse("exchange:incoming_match", args=[parked_result.pk])
    for number, words in (("HV26-000001!", "mistyped"), ("", "required")):
        values = {"match-accession_number": number, "match-reason": "Label"}
        response = client.post(address, values)
        assert (response.status_code, words in response.content.decode()) == (422, True)
    values = {"match-accession_number": case.accession_number, "match-reason": "Label was smudged"}
    assert client.post(address, values).status_code == 302
    assert case.analyser_results.count() == 3
    text = page(client, parked_result.get_absolute_url())
    assert "Label was smudged" in text
    assert "Matched to a case" in text
    assert "Analyser results" in page(client, case.get_absolute_url())


def test_the_case_shows_the_order_it_came_from(
    client_for: SignIn, technician: User, send: Send
) -> None:
    send(oml())
    text = page(client_for(technician), Case.objects.get().get_absolute_url())
    order = PlacedOrder.objects.select_related("sender").get()
    assert "<dt>Order</dt><dd>ORD555" in text
    assert f"{order.sender.name}: {order.test_name}" in text


def test_an_order_waits_until_the_register_was_looked_at(
    client_for: SignIn, technician: User, send: Send, parked_order: IncomingMessage
) -> None:
    client = client_for(technician)
    address = reverse("exchange:incoming_again", args=[parked_order.pk])
    again = {"again-reason": "Married name, seen on the passport"}
    response = client.post(address, again, follow=True)
    assert "another family name" in response.content.decode()
    assert not Settlement.objects.exists()
    client.post(address, again | {"again-same_person": "on"})
    assert Settlement.objects.get().kind == "processed"
    assert (Patient.objects.get().family_name, Case.objects.count()) == ("Doe", 2)
    reply = send(oml(placer="ORD2", control_id="2", pid=PID.replace("Doe", "Quine")))
    assert code_of(reply) == "AA"
    assert Case.objects.count() == 2


def test_a_message_is_dismissed_once_and_with_a_reason(
    technician: User, parked_order: IncomingMessage
) -> None:
    with pytest.raises(GuardFailed):
        dismiss(message_id=parked_order.pk, actor=technician, reason=" ")
    dismiss(message_id=parked_order.pk, actor=technician, reason="Sent by mistake")
    with pytest.raises(EditConflict):
        dismiss(message_id=parked_order.pk, actor=technician, reason="Again")
    assert AuditEvent.objects.get(action="message.settled").reason == "Sent by mistake"


def test_only_results_are_matched_and_only_by_those_who_may(
    technician: User, pathologist: User, case: Case, parked_order: IncomingMessage
) -> None:
    with pytest.raises(DomainError, match="Only results"):
        match_to_case(message_id=parked_order.pk, actor=technician, case=case, reason="x")
    with pytest.raises(NotPermitted):
        process_again(message_id=parked_order.pk, actor=pathologist, reason="x")
    assert not AnalyserResult.objects.exists()


def test_an_administrator_adds_and_changes_senders(client_for: SignIn, administrator: User) -> None:
    client = client_for(administrator)
    values = {
        "name": "Ward order entry", "kind": "orders", "protocol": "hl7", "is_active": "on",
        "networks": "10.1.0.0/16", "charset": "8859/1",
    }  # fmt: skip
    assert client.post("/exchange/senders/new/", values).status_code == 302
    sender = Sender.objects.get(name="Ward order entry")
    address = reverse("exchange:sender", args=[sender.pk])
    for changed, words in (
        ({"networks": "10.1.x"}, "no address or network"),
        ({"networks": ""}, "Give its addresses"),
        ({"protocol": "astm"}, "Only analysers speak ASTM"),
        ({"time_zone": "Mars/Base"}, "not known"),
    ):
        response = client.post(address, values | changed)
        assert (response.status_code, words in response.content.decode()) == (422, True), words
    client.post(address, values | {"facility": "WARD3"})
    assert "WARD3" in page(client, reverse("exchange:senders"))
    actions = AuditEvent.objects.filter(action__startswith="sender.").order_by("at")
    assert [event.action for event in actions] == ["sender.added", "sender.changed"]
    assert "69738-3" in page(client, reverse("exchange:senders"))


def test_an_administrator_adds_and_retires_codes(
    client_for: SignIn, administrator: User, send: Send
) -> None:
    client = client_for(administrator)
    wanted = {"order-code": "SMEAR", "order-name": "Blood smear"}
    client.post(reverse("exchange:code_add", args=["order"]), wanted)
    refused = client.post(reverse("exchange:code_add", args=["order"]), wanted, follow=True)
    assert "proposed already" in refused.content.decode()
    code = OrderCode.objects.get(code="SMEAR")
    assert code_of(send(oml(test="SMEAR^Blood smear^L"))) == "AE"
    approve = reverse("exchange:code_approve", args=["order", code.pk])
    assert "Another person" in client.post(approve, follow=True).content.decode()
    other = client_for(UserFactory.create(role="administrator"))
    assert "is in use" in other.post(approve, follow=True).content.decode()
    assert "already" in other.post(approve, follow=True).content.decode()
    assert code_of(send(oml(test="SMEAR^Blood smear^L"))) == "AA"
    for words in ("was retired", "retired already"):
        address = reverse("exchange:code_retire", args=["order", code.pk])
        assert words in client.post(address, follow=True).content.decode()
    again = oml(test="SMEAR^Blood smear^L", placer="ORD2", control_id="2")
    assert code_of(send(again)) == "AE"


def test_an_administrator_says_what_an_analysers_code_measures(
    client_for: SignIn, administrator: User, technician: User, analyser: Sender
) -> None:
    values = {
        "analyte-code": "LEU", "analyte-analyte": "wbc", "analyte-factor": "0.5",
        "analyte-sender": str(analyser.pk),
    }  # fmt: skip
    address = reverse("exchange:code_add", args=["analyte"])
    assert client_for(technician).post(address, values).status_code == 403
    client = client_for(administrator)
    wrong = client.post(address, values | {"analyte-factor": "x"})
    assert (wrong.status_code, "Enter a number" in wrong.content.decode()) == (422, True)
    client.post(address, values)
    assert AnalyteCode.objects.get(code="LEU").added_by == administrator
    assert client.post(reverse("exchange:code_add", args=["other"])).status_code == 404


@pytest.fixture
def several(case: Case, send: Send) -> IncomingMessage:
    """A message with one known and two unknown specimens."""
    known = oru(case.accession_number).decode().rstrip("\r")
    groups = [known]
    for number in ("HV99-000001X", "HV99-000002X"):
        lines = oru(number).decode().rstrip("\r").split("\r")[1:]
        groups.append("\r".join(lines))
    send(("\r".join(groups) + "\r").encode())
    return IncomingMessage.objects.waiting().get()


def test_each_of_several_specimens_is_matched_on_its_own(
    several: IncomingMessage, case: Case, other_case: Case, technician: User
) -> None:
    first, second = pending_specimens(several)
    assert (first.position, first.label) == (2, "HV99-000001X: 4 values")
    with pytest.raises(DomainError, match="say which"):
        match_to_case(message_id=several.pk, actor=technician, case=other_case, reason="x")
    done = match_to_case(
        message_id=several.pk, actor=technician, case=other_case, reason="Label", position=2
    )
    assert done is None
    several = IncomingMessage.objects.get(pk=several.pk)
    assert several.is_waiting
    assert [item.position for item in pending_specimens(several)] == [second.position]
    with pytest.raises(EditConflict, match="matched already"):
        match_to_case(message_id=several.pk, actor=technician, case=case, reason="x", position=2)
    done = match_to_case(
        message_id=several.pk, actor=technician, case=other_case, reason="Label", position=3
    )
    assert done is not None
    assert (case.analyser_results.count(), other_case.analyser_results.count()) == (3, 6)
    events = AuditEvent.objects.filter(action="message.specimen_matched")
    assert [event.after["specimen"] for event in events.order_by("at")] == [2, 3]  # type: ignore[index]


def test_the_page_asks_which_specimen_is_meant(
    client_for: SignIn, several: IncomingMessage, other_case: Case, technician: User
) -> None:
    client = client_for(technician)
    form = client.get(several.get_absolute_url()).context["forms"]["match"]
    assert [position for position, _ in form.fields["specimen"].choices] == [2, 3]
    address = reverse("exchange:incoming_match", args=[several.pk])
    values = {"match-accession_number": other_case.accession_number, "match-reason": "Label"}
    assert client.post(address, values).status_code == 422
    client.post(address, values | {"match-specimen": "3"})
    assert "Specimen 3" in page(client, several.get_absolute_url())
    assert [item.position for item in pending_specimens(several)] == [2]


@pytest.fixture
def other_case(case: Case, technician: User) -> Case:
    """A second case of the same patient."""
    return open_case(
        actor=technician,
        patient=case.patient,
        order=OrderDetails(),
        specimen=recent_specimen(),
    )
