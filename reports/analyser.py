"""What analysers measured of a case, as its report states it."""

from classifier.enums import Analyte
from classifier.models import AnalyserResult
from classifier.selectors.differential import Differential
from classifier.selectors.references import flag_of
from reports import content as c
from reports.critical import flag, platelets_flag
from reports.references import describe_reference


def describe_analyser(
    counted: Differential, critical: c.CriticalResults | None
) -> tuple[c.AnalyserResult, ...]:
    """Return the values in use beside the white count; of them platelets are judged."""
    beside = (item for item in counted.analyser if item.analyte != Analyte.LEUKOCYTES)
    return tuple(_describe(item, counted, critical) for item in beside)


def _describe(
    item: AnalyserResult, counted: Differential, critical: c.CriticalResults | None
) -> c.AnalyserResult:
    judge = counted.platelet_reference if item.analyte == Analyte.PLATELETS else None
    alarm = platelets_flag(critical) if item.analyte == Analyte.PLATELETS else None
    return c.AnalyserResult(
        analyte=c.Coded(item.analyte, item.get_analyte_display()),
        value=item.value,
        unit=item.unit,
        measured_at=item.measured_at,
        source=item.source,
        marks=item.flags,
        flag=alarm or flag(flag_of(item.value, judge)),
        reference=describe_reference(judge),
    )
