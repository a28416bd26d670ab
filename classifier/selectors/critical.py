"""The critical findings of a case as it now stands, and how far telling them is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from classifier.critical import CriticalFinding, untold
from classifier.enums import CellType, ImageKind
from classifier.models import (
    Case,
    CriticalAlert,
    CriticalCall,
    CriticalSnapshot,
    Laboratory,
)
from classifier.selectors.cells import list_cells
from classifier.selectors.critical_limits import find_platelets, flag_of
from classifier.selectors.differential import Differential, count_cells, list_marks
from classifier.selectors.fields import FieldsSummary, summarise_fields
from classifier.selectors.references import age_at_collection


@dataclass(frozen=True, slots=True)
class Timer:
    """When somebody must have been told, and how far that is from now."""

    due_at: datetime
    escalates_at: datetime
    is_escalated: bool

    @property
    def minutes_left(self) -> int:
        """Whole minutes until due, begun ones counted; negative when overdue."""
        seconds = (self.due_at - timezone.now()).total_seconds()
        return int(-(-seconds // 60))

    @property
    def is_overdue(self) -> bool:
        """True once the time is up."""
        return self.due_at <= timezone.now()

    @property
    def words(self) -> str:
        """The timer in words; it never speaks by colour alone."""
        if self.is_escalated:
            return f"escalated, overdue by {self._overdue}"
        return f"call overdue by {self._overdue}" if self.is_overdue else self._left

    @property
    def _left(self) -> str:
        return f"call due in {self.minutes_left} min"

    @property
    def _overdue(self) -> str:
        minutes = max(0, -self.minutes_left)
        return f"{minutes // 60} h {minutes % 60} min" if minutes >= 120 else f"{minutes} min"


@dataclass(frozen=True, slots=True)
class CriticalState:
    """An open alert for the page: findings, what is still to be told, calls, timer."""

    alert: CriticalAlert
    snapshot: CriticalSnapshot
    findings: tuple[CriticalFinding, ...]
    untold: tuple[CriticalFinding, ...]
    calls: tuple[CriticalCall, ...]
    timer: Timer | None

    @property
    def is_settled(self) -> bool:
        """True if nobody has to be called any more."""
        return not self.untold

    @property
    def platelets_flag(self) -> str:
        """The flag of the platelets, "" if they are not critical."""
        platelets = (item for item in self.findings if item.analyte == CellType.PLATELET)
        return next((flag_of(item) for item in platelets), "")

    @property
    def last_call(self) -> CriticalCall | None:
        """The latest attempt."""
        return self.calls[-1] if self.calls else None


def find_critical(
    case: Case, differential: Differential, fields: FieldsSummary | None
) -> tuple[CriticalFinding, ...]:
    """Return the critical findings of a case that was just counted.

    Of platelets the analyser's count is judged; the estimate only where there is none.
    """
    counted = differential.platelets
    estimate = fields.estimate.value if fields else None
    platelets = find_platelets(
        case,
        counted.value if counted else estimate,
        age_at_collection(case).is_within,
        is_counted=counted is not None,
    )
    return (*differential.critical, platelets) if platelets else differential.critical


def assess(case: Case) -> tuple[CriticalFinding, ...]:
    """Return the critical findings as the record now stands; looks at fields only if need be."""
    counted = count_cells(case, list_marks(case), with_naming_errors=False)
    return find_critical(case, counted, _fields_with_estimate(case))


def _fields_with_estimate(case: Case) -> FieldsSummary | None:
    if Laboratory.current().platelet_factor is None:
        return None
    if not case.images.filter(kind=ImageKind.FIELD, slide=None).exists():
        return None
    return summarise_fields(case, list_cells(case))


def find_open_alert(case: Case) -> CriticalAlert | None:
    """Return the alert of a case that is not closed."""
    return CriticalAlert.objects.filter(case=case, closed_at=None).first()


def get_state(case: Case) -> CriticalState | None:
    """Return the open alert of a case with its calls, or None."""
    alert = find_open_alert(case)
    if alert is None:
        return None
    snapshot = alert.snapshots.latest("pk")
    calls = tuple(alert.calls.select_related("snapshot"))
    findings = snapshot.says
    return CriticalState(
        alert=alert,
        snapshot=snapshot,
        findings=findings,
        untold=untold(findings, alert.told_findings()),
        calls=calls,
        timer=timer_of(alert, Laboratory.current()),
    )


def timer_of(alert: CriticalAlert, laboratory: Laboratory) -> Timer | None:
    """Return the running timer of an alert; None if all was told."""
    if alert.waiting_since is None:
        return None
    since = alert.waiting_since
    return Timer(
        due_at=since + timedelta(minutes=laboratory.critical_due_minutes),
        escalates_at=since + timedelta(minutes=laboratory.critical_escalation_minutes),
        is_escalated=alert.is_escalated,
    )


@dataclass(frozen=True, slots=True)
class AlertHistory:
    """An alert with everything it said and every call about it, in the order of time."""

    alert: CriticalAlert
    snapshots: tuple[CriticalSnapshot, ...]
    calls: tuple[CriticalCall, ...]


def list_alerts(case: Case) -> list[AlertHistory]:
    """Return all alerts that a case ever had, the latest first."""
    alerts = case.critical_alerts.prefetch_related("snapshots", "calls__snapshot")
    return [
        AlertHistory(alert, tuple(alert.snapshots.all()), tuple(alert.calls.all()))
        for alert in alerts
    ]
