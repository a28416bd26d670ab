"""Critical alerts: raised, updated and closed in step with the finding itself.

`reassess` runs in the transaction that changed the finding, with the case's row locked; so no
case shows a critical value without its alert, and none can be signed between the two.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from classifier.critical import CriticalFinding, needing_call, snapshot_sha256, untold
from classifier.enums import CaseStatus
from classifier.models import Case, CriticalAlert, CriticalSnapshot
from classifier.selectors.critical import assess, find_open_alert

WITHOUT_RESULT = (CaseStatus.REJECTED, CaseStatus.CANCELLED, CaseStatus.ENTERED_IN_ERROR)
"""In these states a case has no result that anybody could be told."""


def reassess(case: Case) -> CriticalAlert | None:
    """Raise, update or close the alert of a case so that it says what the findings now say.

    Call in the transaction that changed the findings, with the case's row locked. Findings that
    an earlier report told already raise no alert of their own. Returns the open alert.
    """
    findings = () if case.status in WITHOUT_RESULT else assess(case)
    alert = find_open_alert(case)
    if not needing_call(findings):
        if alert:
            _close(alert)
        return None
    if alert is None:
        return _raise(case, findings)
    last = alert.snapshots.latest("pk")
    if last.sha256 != snapshot_sha256(findings):
        _update(alert, last, findings)
    return alert


def _raise(case: Case, findings: Sequence[CriticalFinding]) -> CriticalAlert:
    now = timezone.now()
    alert = CriticalAlert.objects.create(case=case, raised_at=now, waiting_since=now)
    snapshot = _take(alert, findings)
    audit_alert(alert, "critical.raised", after={"findings": snapshot.findings})
    return alert


def _update(
    alert: CriticalAlert, last: CriticalSnapshot, findings: Sequence[CriticalFinding]
) -> None:
    snapshot = _take(alert, findings)
    audit_alert(
        alert,
        "critical.updated",
        before={"findings": last.findings},
        after={"findings": snapshot.findings},
    )
    settle(alert)


def _close(alert: CriticalAlert) -> None:
    alert.closed_at, alert.waiting_since = timezone.now(), None
    alert.save(update_fields=["closed_at", "waiting_since"])
    audit_alert(
        alert, "critical.closed", before={"findings": alert.snapshots.latest("pk").findings}
    )


def _take(alert: CriticalAlert, findings: Sequence[CriticalFinding]) -> CriticalSnapshot:
    return alert.snapshots.create(
        findings=[item.as_json() for item in findings], sha256=snapshot_sha256(findings)
    )


def settle(alert: CriticalAlert) -> None:
    """Stop the clock if all was told, start it again if something is new or worse."""
    is_waiting = bool(untold(alert.snapshots.latest("pk").says, alert.told_findings()))
    if is_waiting == (alert.waiting_since is not None):
        return
    alert.waiting_since = timezone.now() if is_waiting else None
    alert.save(update_fields=["waiting_since"])


def audit_alert(
    alert: CriticalAlert,
    action: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """The rule does this, not the person whose step made it apply."""
    record(
        actor=User.system(),
        action=action,
        target=alert.case,
        before=before,
        after=after,
        patient=alert.case.patient_id,
    )
