"""Telling critical results: the write-once record of calls, the timer, and what lets sign."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, InternalError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from classifier import guards
from classifier.enums import CallOutcome
from classifier.exceptions import DomainError, EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, CriticalAlert, CriticalCall, Laboratory
from classifier.services.critical_calls import escalate_overdue, record_call
from classifier.services.escalation_mail import send_escalation
from tests.criticals import Call, alert_of, make_attempt

Correct = Callable[..., object]
Counted = Callable[..., Case]

FEW = ["lymphocyte"] * 9 + ["neutrophil"]


@pytest.fixture
def critical_case(counted_case: Counted) -> Case:
    """A case in review with 0.40 × 10⁹/L neutrophils."""  # noqa: RUF002
    return counted_case("4.0", FEW, in_review=True)


class TestRecording:
    def test_keeps_who_told_whom_what_and_audits_it(
        self, critical_case: Case, call: Call, technician: User
    ) -> None:
        row = call(critical_case, technician)
        assert (row.caller_name, row.recipient_name) == ("Tess Technician", "Dr. Rossi")
        assert row.snapshot.says[0].words == "Neutrophil 0.40 × 10⁹/L"  # noqa: RUF001
        event = AuditEvent.objects.get(action="critical.called")
        assert event.after
        assert event.after["snapshot_sha256"] == row.snapshot.sha256
        assert alert_of(critical_case).waiting_since is None

    def test_the_same_form_twice_is_one_call(self, critical_case: Case, pathologist: User) -> None:
        call_id = uuid.uuid4()
        for _ in range(2):
            record_call(
                case_id=critical_case.pk,
                actor=pathologist,
                call_id=call_id,
                snapshot_sha256=alert_of(critical_case).snapshots.latest("pk").sha256,
                attempt=make_attempt(),
            )
        assert CriticalCall.objects.count() == 1

    def test_nobody_changes_or_deletes_a_call(self, critical_case: Case, call: Call) -> None:
        row = call(critical_case)
        with pytest.raises(InternalError), transaction.atomic():
            CriticalCall.objects.filter(pk=row.pk).update(recipient_name="Somebody else")
        with pytest.raises(InternalError), transaction.atomic():
            row.delete()

    def test_only_who_holds_the_duty_records(
        self, critical_case: Case, call: Call, administrator: User
    ) -> None:
        with pytest.raises(NotPermitted):
            call(critical_case, administrator)

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"recipient_name": ""}, "who was told"),
            ({"recipient_role": ""}, "who was told"),
            ({"outcome": CallOutcome.FAILED}, "reason"),
            ({"outcome": "shouted"}, "what came of it"),
            ({"called_at": timezone.now() + timedelta(hours=1)}, "future"),
            ({"called_at": timezone.now() - timedelta(days=1)}, "before the result"),
        ],
    )
    def test_refuses_what_its_outcome_lacks(
        self, critical_case: Case, call: Call, changed: dict[str, object], sentence: str
    ) -> None:
        with pytest.raises(GuardFailed, match=sentence):
            call(critical_case, **changed)

    def test_the_database_refuses_a_failure_without_reason(
        self, critical_case: Case, call: Call
    ) -> None:
        row = call(critical_case)
        row.pk, row.outcome = uuid.uuid4(), CallOutcome.FAILED
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)

    def test_findings_that_nobody_ever_saw_cannot_be_told(
        self, critical_case: Case, pathologist: User
    ) -> None:
        with pytest.raises(EditConflict):
            record_call(
                case_id=critical_case.pk,
                actor=pathologist,
                call_id=uuid.uuid4(),
                snapshot_sha256="0" * 64,
                attempt=make_attempt(),
            )


class TestSettling:
    @pytest.mark.parametrize(
        ("outcome", "reason", "may_sign"),
        [
            (CallOutcome.READ_BACK, "", True),
            (CallOutcome.NOT_READ_BACK, "", False),
            (CallOutcome.NOT_REACHED, "", False),
            (CallOutcome.FAILED, "Patient left; the ward is closed.", True),
        ],
    )
    def test_what_lets_sign(
        self, critical_case: Case, call: Call, outcome: str, reason: str, *, may_sign: bool
    ) -> None:
        problem = guards.critical_results_told(critical_case)
        assert problem
        assert "Neutrophil 0.40" in problem
        call(critical_case, outcome=outcome, reason=reason)
        assert (guards.critical_results_told(critical_case) is None) == may_sign
        assert (alert_of(critical_case).waiting_since is None) == may_sign

    def test_a_worse_value_needs_another_call(
        self, critical_case: Case, call: Call, correct: Correct
    ) -> None:
        call(critical_case)
        correct(critical_case, [9], "lymphocyte")  # 0.00
        assert guards.critical_results_told(critical_case)
        assert alert_of(critical_case).waiting_since
        call(critical_case)
        assert guards.critical_results_told(critical_case) is None

    def test_a_new_finding_needs_another_call_and_names_it_alone(
        self, critical_case: Case, call: Call, correct: Correct
    ) -> None:
        call(critical_case)
        correct(critical_case, [0], "blast")
        problem = guards.critical_results_told(critical_case)
        assert problem
        assert "Blast 1 seen" in problem
        assert "Neutrophil" not in problem

    def test_more_blasts_than_told_or_fewer_need_no_other_call(
        self, critical_case: Case, call: Call, correct: Correct
    ) -> None:
        correct(critical_case, [0], "blast")
        call(critical_case)
        correct(critical_case, [1, 2], "blast")
        assert guards.critical_results_told(critical_case) is None

    def test_a_call_is_kept_against_what_the_caller_had_before_them(
        self, critical_case: Case, correct: Correct, pathologist: User
    ) -> None:
        told = alert_of(critical_case).snapshots.latest("pk")
        correct(critical_case, [0], "blast")
        row = record_call(
            case_id=critical_case.pk,
            actor=pathologist,
            call_id=uuid.uuid4(),
            snapshot_sha256=told.sha256,
            attempt=make_attempt(),
        )
        assert row.snapshot == told
        problem = guards.critical_results_told(critical_case)
        assert problem
        assert "Blast" in problem


class TestEscalation:
    def _wait(self, case: Case, minutes: int) -> None:
        since = timezone.now() - timedelta(minutes=minutes)
        CriticalAlert.objects.filter(case=case).update(raised_at=since, waiting_since=since)

    def test_passes_on_once_what_nobody_was_told_in_time(self, critical_case: Case) -> None:
        self._wait(critical_case, 59)
        escalate_overdue()
        assert alert_of(critical_case).escalated_at is None
        self._wait(critical_case, 61)
        for _ in range(2):
            escalate_overdue()
        assert alert_of(critical_case).is_escalated
        assert AuditEvent.objects.filter(action="critical.escalated").count() == 1

    def test_leaves_alone_what_was_told(self, critical_case: Case, call: Call) -> None:
        call(critical_case)
        escalate_overdue()
        assert alert_of(critical_case).escalated_at is None

    def test_the_mail_names_no_patient(self, critical_case: Case) -> None:
        Laboratory.objects.update(escalation_email="duty@laboratory.example")
        send_escalation(alert_of(critical_case).pk)
        (message,) = mail.outbox
        assert message.to == ["duty@laboratory.example"]
        text = f"{message.subject} {message.body}"
        assert critical_case.accession_number not in text
        for secret in ("Doe", "Jane", "MRN00123", "0.40", "Neutrophil"):
            assert secret not in text

    def test_no_mail_without_an_address_or_once_told(self, critical_case: Case, call: Call) -> None:
        send_escalation(alert_of(critical_case).pk)
        Laboratory.objects.update(escalation_email="duty@laboratory.example")
        call(critical_case)
        send_escalation(alert_of(critical_case).pk)
        assert mail.outbox == []

    @pytest.mark.parametrize("configured", [True, False])
    def test_mail_is_published_where_it_is_set_up(
        self,
        critical_case: Case,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Callable[..., object],
        *,
        configured: bool,
    ) -> None:
        sent: list[str] = []
        settings.MAIL_IS_CONFIGURED = configured
        monkeypatch.setattr(
            "classifier.dispatch.current_app.send_task", lambda name, **_: sent.append(name)
        )
        self._wait(critical_case, 61)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            escalate_overdue()
        assert ("classifier.tasks.mail_escalation" in sent) is configured
        assert ("notifications.tasks.mail_notices" in sent) is configured


def _at_once(*steps: Callable[[], object]) -> list[object]:
    """Run steps in threads of their own; return what each gave or how it was refused."""
    outcomes: list[object] = []

    def run(step: Callable[[], object]) -> None:
        try:
            outcomes.append(step())
        except DomainError as refusal:
            outcomes.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_two_calls_at_once_are_two_rows_of_the_log(
        self, critical_case: Case, call: Call
    ) -> None:
        outcomes = _at_once(lambda: call(critical_case), lambda: call(critical_case))
        assert all(isinstance(outcome, CriticalCall) for outcome in outcomes)
        assert CriticalCall.objects.count() == 2

    def test_one_form_sent_twice_at_once_is_one_row(
        self, critical_case: Case, pathologist: User
    ) -> None:
        call_id, sha256 = uuid.uuid4(), alert_of(critical_case).snapshots.latest("pk").sha256

        def send() -> object:
            return record_call(
                case_id=critical_case.pk,
                actor=pathologist,
                call_id=call_id,
                snapshot_sha256=sha256,
                attempt=make_attempt(),
            )

        first, second = _at_once(send, send)
        assert first == second == CriticalCall.objects.get()

    def test_a_blast_named_while_calling_leaves_one_alert_that_knows_both(
        self, critical_case: Case, call: Call, correct: Correct
    ) -> None:
        _at_once(lambda: call(critical_case), lambda: correct(critical_case, [0], "blast"))
        alert = alert_of(critical_case)
        assert CriticalCall.objects.count() == 1
        assert {item.analyte for item in alert.snapshots.latest("pk").says} == {
            "neutrophil",
            "blast",
        }
