"""Which of an analyser's values a case uses, and which came too late for the signed report."""

from classifier.enums import USABLE_RESULTS
from classifier.models import AnalyserResult, Case


def list_results(case: Case) -> list[AnalyserResult]:
    """Return every value that was ever sent, the latest measured first."""
    return list(case.analyser_results.select_related("taking"))


def current_results(results: list[AnalyserResult]) -> dict[str, AnalyserResult]:
    """Return for each analyte the value in use: the latest measured that is final or corrected.

    Of two of the same moment the one that came last holds: that is how values are corrected.
    What came after signing is left out until a reviewer takes it.
    """
    return _latest([item for item in results if item.stands])


def list_late_results(results: list[AnalyserResult]) -> list[AnalyserResult]:
    """Return the values that would be in use, had they not come after signing."""
    return [item for item in _latest(results).values() if not item.stands]


def _latest(results: list[AnalyserResult]) -> dict[str, AnalyserResult]:
    usable = [item for item in results if item.status in USABLE_RESULTS]
    usable.sort(key=lambda item: (item.measured_at, item.received_at))
    return {item.analyte: item for item in usable}
