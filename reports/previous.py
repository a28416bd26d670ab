"""A patient's earlier results, as they were signed."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from classifier.models import Case, Patient
from reports.content import ReportContent
from reports.models import Report
from reports.querysets import ReportQuerySet

if TYPE_CHECKING:
    from accounts.models import User

MOST_RESULTS = 12


@dataclass(frozen=True, slots=True)
class PastResult:
    """The latest version of a signed report, and when its blood was taken."""

    report_id: uuid.UUID
    case_id: uuid.UUID
    accession_number: str
    version: int
    collected_at: datetime
    says: ReportContent


def list_previous(case: Case, *, user: "User | None" = None) -> list[PastResult]:
    """Return the results of blood taken from the patient before the case's, the newest first.

    Of each report the version that stands, `MOST_RESULTS` at most. With ``user`` only
    those of cases the user may see; without, all there are: what a report says doesn't depend on
    who reads the page.
    """
    reports = Report.objects if user is None else Report.objects.visible_to(user)
    return _read(
        reports.filter(
            case__patient=case.patient_id,
            case__specimen__collected_at__lt=case.specimen.collected_at,
        ).exclude(case=case)
    )


def list_results(patient: Patient, *, user: "User") -> list[PastResult]:
    """Return the patient's results that the user may see, the newest first."""
    return _read(Report.objects.visible_to(user).filter(case__patient=patient))


def _read(reports: ReportQuerySet) -> list[PastResult]:
    latest = reports.standing().select_related("case__specimen")
    return [
        PastResult(
            report_id=report.pk,
            case_id=report.case_id,
            accession_number=report.case.accession_number,
            version=report.version,
            collected_at=report.case.specimen.collected_at,
            says=report.says,
        )
        for report in latest.order_by("-case__specimen__collected_at", "-pk")[:MOST_RESULTS]
    ]
