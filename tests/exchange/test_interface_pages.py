"""Pages of receivers and sent messages: for administrators alone, identities only on demand."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from classifier.models import Case
from exchange.enums import OutboundState
from exchange.models import OutboundMessage, Peer
from exchange.services.writing import write_message
from reports.models import Report
from tests.exchange.certificates import Authority
from tests.exchange.conftest import Issue, MakePeer, StartReceiver

SignIn = Callable[[User], Client]


@pytest.fixture
def browser(client_for: SignIn, administrator: User) -> Client:
    return client_for(administrator)


@pytest.fixture
def message(make_peer: MakePeer, report: Report) -> OutboundMessage:
    """A message that was given up."""
    written = write_message(peer=make_peer(), report=report)
    OutboundMessage.objects.filter(pk=written.pk).update(
        state=OutboundState.DEAD, problem="No answer.", attempts=8
    )
    written.refresh_from_db()
    return written


def _values(**changed: object) -> dict[str, object]:
    values: dict[str, object] = {
        "name": "Ward system",
        "host": "hospital.example",
        "port": 2575,
        "is_active": "on",
        "uses_tls": "on",
        "own_application": "HEMATOVISION",
        "own_facility": "HVLAB",
        "application": "EMR",
        "report_statuses": ["final", "corrected"],
        "results_from": "2026-11-20T08:00:00",
        "charset": "UNICODE UTF-8",
        "ack_mode": "original",
        "answer_seconds": 30,
        "most_attempts": 8,
        "first_pause_seconds": 5,
        "longest_pause_seconds": 900,
    }
    return values | changed


def test_only_who_connects_systems_comes_in(
    client_for: SignIn, message: OutboundMessage, technician: User, pathologist: User
) -> None:
    pages = [
        reverse("exchange:peers"),
        reverse("exchange:peer_new"),
        message.peer.get_absolute_url(),
        reverse("exchange:messages"),
        message.get_absolute_url(),
    ]
    for user in (technician, pathologist):
        client = client_for(user)
        assert {client.get(page).status_code for page in pages} == {403}
        assert client.post(reverse("exchange:message_show", args=[message.pk])).status_code == 403
        assert client.post(reverse("exchange:peer_try", args=[message.peer_id])).status_code == 403
    assert Client().get(pages[0]).status_code == 302


def test_empty_lists_say_what_to_do(browser: Client, db: None) -> None:
    assert "Nobody gets results yet" in browser.get(reverse("exchange:peers")).content.decode()
    assert "No message yet" in browser.get(reverse("exchange:messages")).content.decode()
    filtered = browser.get(reverse("exchange:messages"), {"state": "dead"})
    assert "Nothing matches" in filtered.content.decode()


def test_a_receiver_is_added_and_changed_with_a_trail(browser: Client) -> None:
    answer = browser.post(reverse("exchange:peer_new"), _values())
    peer = Peer.objects.get()
    assert answer.headers["Location"] == peer.get_absolute_url()
    assert peer.report_statuses == ["final", "corrected"]
    for _ in range(2):
        browser.post(peer.get_absolute_url(), _values(port=2576))
    event = AuditEvent.objects.get(action="peer.changed")
    assert event.before == {"port": 2575}
    assert event.after == {"port": 2576}
    assert AuditEvent.objects.filter(action="peer.added").count() == 1


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"host": ""}, "required"),
        ({"port": "70000"}, "65535"),
        ({"ca_certificate": "not PEM"}, "no certificate in PEM form"),
        ({"client_identity": "../key.pem"}, "The name of a file"),
        ({"application": "A^B"}, "Letters, digits"),
        ({"report_statuses": []}, "required"),
    ],
)
def test_a_receiver_that_cannot_work_is_refused(
    browser: Client, changed: dict[str, object], problem: str
) -> None:
    answer = browser.post(reverse("exchange:peer_new"), _values(**changed))
    assert answer.status_code == 200
    assert problem in answer.content.decode()
    assert not Peer.objects.exists()


def test_a_certificate_authority_is_kept_and_audited_by_its_hash(browser: Client) -> None:
    pem = Authority().pem
    browser.post(reverse("exchange:peer_new"), _values(ca_certificate=pem))
    assert Peer.objects.get().ca_certificate == pem.strip()
    said = AuditEvent.objects.get(action="peer.added").after or {}
    assert len(said["ca_certificate"]) == 64


@pytest.mark.processes
def test_trying_a_connection_tells_how_it_went_and_sends_nothing(
    browser: Client, make_peer: MakePeer, receiver: StartReceiver
) -> None:
    peer = make_peer()
    url = reverse("exchange:peer_try", args=[peer.pk])
    assert "was not reached" in browser.post(url, follow=True).content.decode()
    process = receiver()
    Peer.objects.filter(pk=peer.pk).update(port=process.port)
    assert "was reached, in the clear" in browser.post(url, follow=True).content.decode()
    assert process.seen() == []
    found = AuditEvent.objects.filter(action="peer.tested").order_by("at")
    assert [event.after and event.after["reached"] for event in found] == [False, True]


def test_a_message_hides_identities_until_they_are_asked_for(
    browser: Client, message: OutboundMessage, administrator: User
) -> None:
    hidden = browser.get(message.get_absolute_url())
    assert "Varga" not in hidden.content.decode()
    assert "DEMO-1002" not in hidden.content.decode()
    assert "26511-6^Neutrophils/Leukocytes in Blood^LN" in hidden.content.decode()
    assert not AuditEvent.objects.filter(action="result_message.read").exists()
    shown = browser.post(reverse("exchange:message_show", args=[message.pk]))
    assert "Varga^István" in shown.content.decode()
    event = AuditEvent.objects.get(action="result_message.read")
    assert (event.actor, event.patient_id) == (administrator, message.report.case.patient_id)
    assert "no-store" in shown.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("decision", "state"),
    [("send-again", "queued"), ("write-anew", "replaced"), ("set-aside", "set_aside")],
)
def test_a_person_decides_about_a_parked_message(
    browser: Client, message: OutboundMessage, decision: str, state: str
) -> None:
    url = reverse("exchange:message_decide", args=[message.pk, decision])
    assert "Give a reason." in browser.post(url, follow=True).content.decode()
    answer = browser.post(url, {"reason": "Repaired."}, follow=True)
    assert answer.status_code == 200
    message.refresh_from_db()
    assert message.state == state


def test_an_unknown_decision_is_not_found(browser: Client, message: OutboundMessage) -> None:
    url = reverse("exchange:message_decide", args=[message.pk, "delete"])
    assert browser.post(url, {"reason": "x"}).status_code == 404


def test_every_page_of_an_administrator_counts_what_waits_for_a_person(
    browser: Client, message: OutboundMessage
) -> None:
    worklist = browser.get(reverse("classifier:worklist")).content.decode()
    assert "messages wait for a person" in worklist
    OutboundMessage.objects.filter(pk=message.pk).update(state=OutboundState.SET_ASIDE)
    assert "messages wait" not in browser.get(reverse("classifier:worklist")).content.decode()


def test_the_list_filters_by_state_and_receiver(
    browser: Client, message: OutboundMessage, make_peer: MakePeer, report: Report
) -> None:
    other = write_message(peer=make_peer(name="Registry"), report=report)
    url = reverse("exchange:messages")
    parked = browser.get(url, {"state": "parked"}).context["page"].object_list
    assert [each.pk for each in parked] == [message.pk]
    theirs = browser.get(url, {"peer": other.peer_id}).context["page"].object_list
    assert [each.pk for each in theirs] == [other.pk]


def test_lists_take_the_same_queries_however_long(
    browser: Client, message: OutboundMessage, case: Case, issue: Issue, make_peer: MakePeer,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for number in range(3):
        peer = make_peer(name=f"Receiver {number}")
        write_message(peer=peer, report=message.report)
    write_message(peer=peer, report=issue(case, "corrected"))
    for page in ("exchange:peers", "exchange:messages"):
        with django_assert_max_num_queries(14):
            browser.get(reverse(page))


def test_a_new_receiver_gets_every_kind_of_report_unless_unchecked(browser: Client) -> None:
    form = browser.get(reverse("exchange:peer_new")).context["form"]
    (boxes,) = (field for _, fields in form.sections for field in fields
                if field.name == "report_statuses")  # fmt: skip
    assert all(box.data["selected"] for box in boxes)
