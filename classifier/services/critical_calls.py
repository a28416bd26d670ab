"""Telling a critical result: the record of calls, and passing on what nobody was told."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from classifier import dispatch, policies
from classifier.enums import CallChannel, CallOutcome, CaseStatus
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, CriticalAlert, CriticalCall, CriticalSnapshot, Laboratory
from classifier.selectors.critical import find_open_alert
from classifier.services.critical import audit_alert, reassess, settle
from classifier.services.transitions import lock_case

UNSIGNED = (CaseStatus.AWAITING_REVIEW, CaseStatus.IN_REVIEW, CaseStatus.AMENDING)
WORDS_LIMIT = 500
TOLD = (CallOutcome.READ_BACK, CallOutcome.NOT_READ_BACK)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to tell a critical result: to whom, how, and what came of it."""

    channel: str
    outcome: str
    called_at: datetime
    recipient_name: str = ""
    recipient_role: str = ""
    contact: str = ""
    reason: str = ""
    note: str = ""


@transaction.atomic
def refresh_alert(case_id: uuid.UUID) -> None:
    """Hold a case against the limits as they are now, which may have changed since."""
    reassess(lock_case(case_id))


def refresh_open_cases() -> None:
    """Hold every case that a pathologist has or will have against the limits as they are now."""
    for case_id in Case.objects.filter(status__in=UNSIGNED).values_list("pk", flat=True):
        refresh_alert(case_id)


@transaction.atomic
def record_call(
    *,
    case_id: uuid.UUID,
    actor: User,
    call_id: uuid.UUID,
    snapshot_sha256: str,
    attempt: Attempt,
) -> CriticalCall:
    """Write down one attempt to tell a critical result; the same id twice is one attempt.

    It is kept against the findings that the caller had before them, even if they changed since:
    what is new or worse then needs another call.

    Raises:
        NotPermitted: the actor doesn't record calls.
        GuardFailed: the case has no open alert, or the attempt is incomplete.
        EditConflict: the id was used for another case, or the findings are unknown.
    """
    if not policies.can_record_callback(actor):
        raise NotPermitted("You may not record calls.")
    case = lock_case(case_id)
    if repeated := CriticalCall.objects.filter(pk=call_id).select_related("alert").first():
        if repeated.alert.case_id != case.pk:
            raise EditConflict("This call was already recorded for another case.")
        return repeated
    alert = find_open_alert(case)
    if alert is None:
        raise GuardFailed("This case has no open critical result.")
    _check(attempt, alert)
    snapshot = alert.snapshots.filter(sha256=snapshot_sha256).last()
    if snapshot is None:
        raise EditConflict("The critical findings are others now: read them, then record the call.")
    call = _write(call_id, snapshot, actor, attempt)
    settle(alert)
    return call


def escalate_overdue() -> None:
    """Pass on every critical result that nobody was told in the laboratory's time."""
    limit = Laboratory.current().critical_escalation_minutes
    overdue = CriticalAlert.objects.filter(
        Q(escalated_at__isnull=True) | Q(escalated_at__lt=F("waiting_since")),
        waiting_since__lte=timezone.now() - timedelta(minutes=limit),
    )
    for case_id in overdue.values_list("case_id", flat=True):
        _escalate(case_id, limit)


@transaction.atomic
def _escalate(case_id: uuid.UUID, limit: int) -> None:
    """Escalate under the case's lock, unless somebody was told meanwhile."""
    alert = find_open_alert(lock_case(case_id))
    if alert is None or alert.waiting_since is None or alert.is_escalated:
        return
    if alert.waiting_since > timezone.now() - timedelta(minutes=limit):
        return
    alert.escalated_at = timezone.now()
    alert.save(update_fields=["escalated_at"])
    audit_alert(alert, "critical.escalated", after={"waiting_since": alert.waiting_since})
    dispatch.mail_escalation(alert.pk)


def _check(attempt: Attempt, alert: CriticalAlert) -> None:
    """Refuse an attempt that leaves out what its outcome needs.

    Raises:
        GuardFailed: with the sentence to show.
    """
    if attempt.outcome not in CallOutcome.values or attempt.channel not in CallChannel.values:
        raise GuardFailed("Say how you called and what came of it.")
    if attempt.outcome in TOLD and not (attempt.recipient_name and attempt.recipient_role):
        raise GuardFailed("Say who was told: name and role.")
    if attempt.outcome == CallOutcome.FAILED and not attempt.reason:
        raise GuardFailed("Give the reason why the result could not be told.")
    if max(len(attempt.reason), len(attempt.note)) > WORDS_LIMIT:
        raise GuardFailed(f"Reason and note hold at most {WORDS_LIMIT} characters.")
    if attempt.called_at > timezone.now():
        raise GuardFailed("The call can't lie in the future.")
    if attempt.called_at < alert.raised_at.replace(second=0, microsecond=0):
        raise GuardFailed("The call can't have been before the result was found.")


def _write(
    call_id: uuid.UUID, snapshot: CriticalSnapshot, actor: User, attempt: Attempt
) -> CriticalCall:
    call = CriticalCall.objects.create(
        pk=call_id,
        alert=snapshot.alert,
        snapshot=snapshot,
        called_by=actor,
        caller_name=actor.name_with_title,
        **asdict(attempt),
    )
    _record(call)
    return call


def _record(call: CriticalCall) -> None:
    case = call.alert.case
    record(
        actor=call.called_by,
        action="critical.called",
        target=case,
        after={
            "call": call.pk,
            "findings": call.snapshot.findings,
            "snapshot_sha256": call.snapshot.sha256,
            "told": call.recipient_name,
            "role": call.recipient_role,
            "channel": call.channel,
            "outcome": call.outcome,
        },
        reason=call.reason,
        patient=case.patient_id,
    )
