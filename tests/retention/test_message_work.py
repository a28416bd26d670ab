"""How messages are disposed of: by the database's leave, by workers that may die, on pages."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.chain import verify_chain
from accounts.models import AuditEvent, User
from classifier.exceptions import NotPermitted
from exchange.models import (
    IncomingMessage,
    OutboundMessage,
)
from retention.enums import ItemState
from retention.models import Disposal, MessageBatch
from retention.selectors.due_messages import list_due_months
from retention.services import carrying_out, disposals
from retention.services.carrying_out import carry_out_disposals
from retention.services.carrying_out_messages import decide_batch
from tests.exchange.conftest import Issue, issue, make_peer, report
from tests.exchange.incoming import Send
from tests.exchange.messages import PID, oml
from tests.merging import at_once
from tests.pages import words_of
from tests.retention.messages import (
    LATER,
    RECEIVED,
    SENT,
    SignIn,
    accepted,
    approved,
    dispose,
    order,
    propose,
    ruled,
)
from tests.retention.steps import hold, travel

__all__ = ["Issue", "accepted", "issue", "make_peer", "order", "report", "ruled"]


class TestTheDatabase:
    def test_contents_change_by_a_disposal_alone_and_once(
        self, order: IncomingMessage, administrator: User, keeper: User
    ) -> None:
        rows = IncomingMessage.objects.filter(pk=order.pk)
        mark = {"disposed_because": "No rule.", "disposed_sha256": "0" * 64, "disposed_bytes": 1}
        at = timezone.now()
        changes: list[dict[str, Any]] = [
            {"raw": b""},
            {"explanation": "Other."},
            {"disposed_at": at, **mark},
        ]
        for change in changes:
            with pytest.raises(DatabaseError), transaction.atomic():
                rows.update(**change)
        with travel(LATER):
            dispose(administrator, keeper, RECEIVED)
        for change in ({"raw": b"MSH"}, {"replies": []}, {"disposed_because": "Other."}):
            with pytest.raises(DatabaseError), transaction.atomic():
                rows.update(**change)

    def test_steps_are_emptied_with_their_message_alone(self, accepted: OutboundMessage) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            accepted.events.update(answer="", detail="")


class TestTheWork:
    def test_is_split_and_goes_on_where_a_worker_was_killed(
        self,
        order: IncomingMessage,
        send: Send,
        administrator: User,
        keeper: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        send(oml(control_id="MSG0002", placer="ORD556"))
        monkeypatch.setattr(disposals, "MESSAGES_AT_ONCE", 1)
        with travel(LATER):
            disposal = approved(administrator, keeper, RECEIVED)
            first, second = disposal.batches.order_by("pk")

            def killed_at_second(batch_id: int) -> MessageBatch:
                if batch_id == second.pk:
                    raise KeyboardInterrupt
                return decide_batch(batch_id)

            with monkeypatch.context() as patch:
                patch.setattr(carrying_out, "decide_batch", killed_at_second)
                with pytest.raises(KeyboardInterrupt):
                    carry_out_disposals()
            assert IncomingMessage.objects.filter(disposed_at=None).count() == 1
            Disposal.objects.update(lease_expires_at=None)
            assert carry_out_disposals() == 1
            decide_batch(first.pk)
        assert not IncomingMessage.objects.filter(disposed_at=None).exists()
        assert AuditEvent.objects.filter(action="messages.disposed").count() == 2

    @pytest.mark.django_db(transaction=True)
    def test_a_hold_at_the_same_moment_is_first_or_too_late(
        self, order: IncomingMessage, administrator: User, keeper: User
    ) -> None:
        patient = order.cases.get().patient
        with travel(LATER):
            disposal = approved(administrator, keeper, RECEIVED)
            batch = disposal.batches.get()
            at_once(lambda: decide_batch(batch.pk), lambda: hold(administrator, patient))
        batch.refresh_from_db()
        order.refresh_from_db()
        assert (batch.state == ItemState.ERASED) == (order.disposed_at is not None)
        put = AuditEvent.objects.get(action="legal_hold.put").at
        assert batch.decided_at is not None
        assert order.disposed_at is not None or batch.decided_at > put
        assert verify_chain().is_sound

    @pytest.mark.parametrize("who", ["technician", "pathologist"])
    def test_others_propose_nothing(
        self, order: IncomingMessage, who: str, request: pytest.FixtureRequest
    ) -> None:
        with travel(LATER), pytest.raises(NotPermitted):
            propose(request.getfixturevalue(who), RECEIVED)


class TestPages:
    def test_from_the_list_to_the_result(
        self, order: IncomingMessage, client_for: SignIn, administrator: User, keeper: User
    ) -> None:
        due = reverse("retention:due", args=[RECEIVED])
        with travel(LATER):
            office, second = client_for(administrator), client_for(keeper)
            page = office.get(due)
            assert "General Hospital" in words_of(page)
            form = page.context["form"]
            values = {"disposal_id": str(form["disposal_id"].value())}
            assert "Choose at least one month." in words_of(office.post(due, values))
            office.post(due, values | {"months": [each.key for each in list_due_months(RECEIVED)]})
            disposal = Disposal.objects.get()
            second.post(reverse("retention:disposal_approve", args=[disposal.pk]))
            carry_out_disposals()
            shown = words_of(office.get(disposal.get_absolute_url()))
            assert "Carried out" in shown
            assert "General Hospital" in shown
            rows = office.get(reverse("retention:disposal_export", args=[disposal.pk]))
            assert words_of(office.get(due)).count("Nothing is due") == 1
            listed = words_of(office.get(reverse("retention:disposals")))
        lines = b"".join(rows.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
        order.refresh_from_db()
        assert len(lines) == 2
        assert f"MSG0001,{order.disposed_sha256}" in lines[1]
        assert "Messages received" in listed

    def test_a_message_says_that_it_was_disposed_of_and_why(
        self,
        hospital: object,
        accepted: OutboundMessage,
        send: Send,
        client_for: SignIn,
        administrator: User,
        keeper: User,
    ) -> None:
        send(oml(pid=PID.replace("MRN00777", "MRN00888").replace("Doe", "Quine")))
        order = IncomingMessage.objects.get()
        with travel(LATER):
            for kind in (RECEIVED, SENT):
                dispose(administrator, keeper, kind)
            office = client_for(administrator)
            for message, words in ((order, "Messages received"), (accepted, "Messages sent")):
                page = words_of(office.get(message.get_absolute_url()))
                assert "What it said was disposed of on" in page
                assert f"under the rule: {words}, 30 days, version 1" in page
            revealed = office.post(reverse("exchange:incoming_reveal", args=[order.pk]))
            assert "What it said was disposed of on" in words_of(revealed)
