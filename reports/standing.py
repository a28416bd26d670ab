"""What was issued of a case and still stands: it keeps the case with its patient."""

from classifier.enums import CaseStatus
from classifier.models import Case
from reports.enums import ReportStatus

WITHDRAWN = (ReportStatus.ENTERED_IN_ERROR, ReportStatus.CANCELLED)


def standing_report(case: Case) -> str | None:
    """Say which report of the case stands and what to do first; None if there is none."""
    report = case.reports.current().exclude(status__in=WITHDRAWN).first()
    if report is None:
        return None
    if case.status == CaseStatus.REJECTED:
        return "Its interim report is just being withdrawn. Try again in a moment."
    if report.status == ReportStatus.PRELIMINARY:
        return (
            "An interim report was released under this patient. Reject the case, which withdraws "
            "it; then register the case again under the right patient."
        )
    return "Its report still stands. Withdraw it first."
