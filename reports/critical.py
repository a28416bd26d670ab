"""The critical results of a case as its report tells them: values, limits, calls."""

from classifier.critical import CriticalFinding
from classifier.enums import CallChannel, CallOutcome, CellType, CriticalSide
from classifier.models import Case
from classifier.models import CriticalCall as CallRow
from classifier.selectors.critical import find_critical
from classifier.selectors.differential import Differential
from classifier.selectors.fields import FieldsSummary
from reports import content as c

FLAG_WORDS = {
    "low": "Low",
    "high": "High",
    "critical_low": "Critical low",
    "critical_high": "Critical high",
    "critical": "Critical",
}


def flag(code: str) -> c.Coded | None:
    """Return the flag of a value with the words that stand for it; None without one."""
    return c.Coded(code, FLAG_WORDS[code]) if code else None


def describe_critical(
    case: Case, differential: Differential, fields: FieldsSummary | None
) -> c.CriticalResults | None:
    """Return the critical results and the calls about them; None if there never were any.

    The calls of a correction are those of all its versions: nobody is untold by a correction.
    """
    findings = find_critical(case, differential, fields)
    rows = CallRow.objects.filter(alert__case=case).select_related("snapshot")
    calls = tuple(_call(row) for row in rows.order_by("called_at", "recorded_at", "pk"))
    if not findings and not calls:
        return None
    return c.CriticalResults(tuple(_result(item) for item in findings), calls)


def platelets_flag(result: c.CriticalResults | None) -> c.Coded | None:
    """Return the flag of the platelets, if they are critical."""
    for item in result.results if result else ():
        if item.analyte.code == CellType.PLATELET:
            return flag(f"critical_{item.side.code}")
    return None


def _result(finding: CriticalFinding) -> c.CriticalResult:
    side = CriticalSide(finding.side)
    return c.CriticalResult(
        analyte=c.Coded(finding.analyte, finding.label),
        side=c.Coded(side.value, str(side.label)),
        value=finding.value,
        unit=finding.unit,
        limit=finding.limit,
        version=finding.limit_version,
        source=finding.limit_source,
        is_approved=finding.is_approved,
        is_known=finding.is_known,
    )


def _call(row: CallRow) -> c.CriticalCall:
    channel, outcome = CallChannel(row.channel), CallOutcome(row.outcome)
    return c.CriticalCall(
        called_at=row.called_at,
        called_by=row.caller_name,
        recipient_name=row.recipient_name,
        recipient_role=row.recipient_role,
        channel=c.Coded(channel.value, str(channel.label)),
        outcome=c.Coded(outcome.value, str(outcome.label)),
        reason=row.reason,
        told=", ".join(item.words for item in row.snapshot.to_tell),
    )
