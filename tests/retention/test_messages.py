"""Disposing of messages: by month and system, contents gone, known when they come again."""

import hashlib
import json
import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.models import AuditEvent, RowChange, User
from classifier.exceptions import EditConflict, GuardFailed
from classifier.models import Case, Patient
from classifier.services.patients import Identity, register_patient
from exchange.enums import OutboundState, WebhookContent, WebhookState
from exchange.models import (
    IncomingMessage,
    OutboundMessage,
    Peer,
    Sender,
    Settlement,
    WebhookDelivery,
)
from exchange.services.decisions import send_again, write_anew
from exchange.services.keeping import Arrival
from exchange.services.receiving import receive_hl7
from exchange.services.settling import dismiss, process_again
from exchange.services.webhook_delivery import write_missing as tell_missing
from exchange.services.webhooks import add_webhook
from exchange.services.webhooks import send_again as tell_again
from exchange.services.writing import write_missing
from reports.models import Report
from retention.enums import ItemState
from retention.selectors.due_messages import list_due_months
from retention.services.carrying_out import carry_out_disposals
from retention.services.carrying_out_messages import hash_over
from tests.exchange.conftest import Issue, issue, make_peer, report
from tests.exchange.incoming import Send, code_of
from tests.exchange.messages import PID, adt_a40, oml
from tests.retention.messages import (
    LATER,
    RECEIVED,
    SENT,
    accepted,
    approved,
    dispose,
    order,
    propose,
    ruled,
)
from tests.retention.steps import hold, travel

__all__ = ["Issue", "accepted", "issue", "make_peer", "order", "report", "ruled"]


class TestReceived:
    def test_contents_go_and_the_row_says_what_was_there(
        self, order: IncomingMessage, administrator: User, keeper: User
    ) -> None:
        raw = bytes(order.raw)
        with travel(LATER):
            disposal = dispose(administrator, keeper, RECEIVED)
        order.refresh_from_db()
        assert (bytes(order.raw), order.control_id, order.size) == (b"", "MSG0001", len(raw))
        assert order.disposed_sha256 == hashlib.sha256(raw).hexdigest()
        assert order.disposed_because.startswith("Messages received, 30 days, version 1")
        assert not any(b"Doe" in reply or b"MRN00777" in reply for reply in order.replies)
        assert disposal.standing == "carried out"

    def test_one_entry_holds_all_of_a_batch_by_their_hash(
        self, order: IncomingMessage, send: Send, administrator: User, keeper: User
    ) -> None:
        send(oml(control_id="MSG0002", placer="ORD556"))
        with travel(LATER):
            disposal = dispose(administrator, keeper, RECEIVED)
        event = AuditEvent.objects.get(action="messages.disposed")
        assert event.before
        assert event.after
        assert event.before["messages"] == 2
        assert event.before["messages_sha256"] == hash_over(list(IncomingMessage.objects.all()))
        assert event.after["disposal"] == str(disposal.pk)
        assert (event.after["proposed_by"], event.after["approved_by"]) == (
            administrator.pk,
            keeper.pk,
        )
        assert "Doe" not in event.payload
        assert AuditEvent.objects.get(action="disposal.finished").after == {"erased": 2}

    def test_the_same_message_again_gets_its_code_and_has_no_effect(
        self, order: IncomingMessage, send: Send, administrator: User, keeper: User
    ) -> None:
        with travel(LATER):
            dispose(administrator, keeper, RECEIVED)
            again = send(oml())
        assert (code_of(again), str(again.segment("MSA"))) == ("AA", "MSA|AA|MSG0001")
        assert (Case.objects.count(), Patient.objects.count()) == (1, 1)
        assert IncomingMessage.objects.count() == 1

    def test_a_message_that_waits_stays_until_it_is_settled(
        self,
        order: IncomingMessage,
        send: Send,
        administrator: User,
        keeper: User,
        technician: User,
    ) -> None:
        send(oml(placer="ORD2", control_id="2", pid=PID.replace("Doe", "Quine")))
        waiting = IncomingMessage.objects.waiting().get()
        with travel(LATER):
            (month,) = list_due_months(RECEIVED)
            assert (month.ready, month.why_kept) == (1, "1: It waits for a person.")
            dispose(administrator, keeper, RECEIVED)
            waiting.refresh_from_db()
            assert waiting.disposed_at is None
            process_again(
                message_id=waiting.pk, actor=technician, reason="Married.", same_person=True
            )
            dispose(administrator, keeper, RECEIVED)
            again = send(oml(placer="ORD2", control_id="2", pid=PID.replace("Doe", "Quine")))
        assert code_of(again) == "AA", "the code that it got once it was settled"
        assert Settlement.objects.get().replies == []
        waiting.refresh_from_db()
        assert not any(b"Quine" in reply for reply in waiting.replies)
        changes = RowChange.objects.filter(table_name="exchange_settlement", operation="update")
        assert changes.exists()
        assert b"Quine".hex() not in json.dumps(list(changes.values("before", "after")))

    def test_what_an_unknown_system_sent_and_was_refused_goes_too(
        self, ruled: None, administrator: User, keeper: User
    ) -> None:
        receive_hl7(Arrival(oml(), [], "127.0.0.1"))
        with travel(LATER):
            dispose(administrator, keeper, RECEIVED)
        row = IncomingMessage.objects.get()
        assert (row.outcome, bytes(row.raw), bool(row.explanation)) == ("refused", b"", True)

    @pytest.mark.parametrize("held", ["case", "patient"])
    def test_a_hold_between_approval_and_work_wins(
        self, order: IncomingMessage, send: Send, administrator: User, keeper: User, held: str
    ) -> None:
        other = PID.replace("MRN00777", "MRN00888").replace("Doe", "Quine")
        send(oml(control_id="MSG0002", placer="ORD556", pid=other))
        case = order.cases.get()
        with travel(LATER):
            disposal = approved(administrator, keeper, RECEIVED)
            hold(administrator, case if held == "case" else case.patient)
            carry_out_disposals()
            (month,) = list_due_months(RECEIVED)
        assert (month.ready, month.why_kept) == (0, "1: A legal hold is on the record.")
        order.refresh_from_db()
        assert order.disposed_at is None
        batch = disposal.batches.get()
        assert (batch.state, batch.gone) == (ItemState.ERASED, 1)
        assert batch.kept == {str(order.pk): "A legal hold is on the record."}
        told = AuditEvent.objects.get(action="disposal.held_back").after
        assert told
        assert told["why"] == {"A legal hold is on the record.": 1}

    def test_a_merge_that_names_a_held_record_stays(
        self,
        hospital: Sender,
        ruled: None,
        send: Send,
        technician: User,
        administrator: User,
        keeper: User,
    ) -> None:
        Sender.objects.update(takes_merges=True)
        born = date(1980, 1, 1)
        for number, sex in (("MRN00777", "female"), ("MRN00778", "unknown")):
            wanted = Identity(number, "GENHOSP", "Doe", "Jane", born, sex)
            register_patient(actor=technician, identity=wanted, duplicate_reason="by order")
        send(adt_a40())
        message = IncomingMessage.objects.get()
        dismiss(message_id=message.pk, actor=administrator, reason="They are two.")
        with travel(LATER):
            disposal = approved(administrator, keeper, RECEIVED)
            hold(administrator, Patient.objects.get(mrn="MRN00778"))
            carry_out_disposals()
        message.refresh_from_db()
        assert message.disposed_at is None
        assert list(disposal.batches.get().kept.values()) == ["A legal hold is on the record."]

    def test_fresh_messages_and_those_of_another_proposal_are_not_due(
        self, order: IncomingMessage, administrator: User
    ) -> None:
        assert list_due_months(RECEIVED) == []
        with travel(LATER):
            propose(administrator, RECEIVED)
            assert list_due_months(RECEIVED) == []


class TestSent:
    def test_what_was_sent_goes_with_the_receivers_answers(
        self, accepted: OutboundMessage, administrator: User, keeper: User
    ) -> None:
        sha256 = accepted.sha256
        with travel(LATER):
            dispose(administrator, keeper, SENT)
        accepted.refresh_from_db()
        assert (bytes(accepted.body), accepted.disposed_sha256) == (b"", sha256)
        event = accepted.events.get()
        assert (event.step, event.detail, event.answer) == ("accepted", "", "")

    def test_nothing_is_sent_twice_for_it_and_only_a_new_one_can_be_written(
        self, accepted: OutboundMessage, administrator: User, keeper: User
    ) -> None:
        with travel(LATER):
            dispose(administrator, keeper, SENT)
            assert write_missing(Peer.objects.get()) == 0
            decision: dict[str, Any] = {
                "message_id": accepted.pk,
                "actor": administrator,
                "reason": "Lost.",
            }
            with pytest.raises(GuardFailed, match="disposed of"):
                send_again(**decision)
            assert bytes(write_anew(**decision).body)

    @pytest.mark.parametrize("state", [OutboundState.QUEUED, OutboundState.DEAD])
    def test_what_is_not_delivered_is_never_due(
        self, accepted: OutboundMessage, administrator: User, state: str
    ) -> None:
        OutboundMessage.objects.update(state=state, problem="No answer.", finished_at=None)
        with travel(LATER):
            (month,) = list_due_months(SENT)
            assert (month.ready, month.why_kept) == (0, "1: It is not delivered yet.")
            with pytest.raises(EditConflict):
                propose(administrator, SENT)

    def test_what_is_queued_again_after_the_approval_stays(
        self, accepted: OutboundMessage, administrator: User, keeper: User
    ) -> None:
        with travel(LATER):
            disposal = approved(administrator, keeper, SENT)
            send_again(message_id=accepted.pk, actor=administrator, reason="Lost.")
            carry_out_disposals()
        accepted.refresh_from_db()
        assert accepted.disposed_at is None
        assert disposal.batches.get().state == ItemState.KEPT

    def test_calls_of_webhooks_go_as_well(
        self, ruled: None, report: Report, administrator: User, keeper: User
    ) -> None:
        webhook = add_webhook(
            actor=administrator,
            webhook_id=uuid.uuid4(),
            name="Ward",
            url="https://ward.example/in",
            content=WebhookContent.REFERENCE,
        )
        type(webhook).objects.update(reports_from=report.issued_at - timedelta(days=1))
        webhook.refresh_from_db()
        tell_missing(webhook)
        WebhookDelivery.objects.update(state=WebhookState.DEAD, problem="HTTP 500")
        with travel(LATER):
            assert [month.ready for month in list_due_months(SENT)] == [0]
            type(webhook).objects.update(is_active=False)
            dispose(administrator, keeper, SENT)
            delivery = WebhookDelivery.objects.get()
            assert (bytes(delivery.body), bool(delivery.disposed_bytes)) == (b"", True)
            with pytest.raises(GuardFailed, match="disposed of"):
                tell_again(actor=administrator, delivery_id=delivery.pk)
            tell_missing(webhook)
        assert WebhookDelivery.objects.count() == 1
