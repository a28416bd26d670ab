"""Read models of the report pages."""

import uuid
from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404

from classifier import lifecycle
from classifier.models import Case, Patient
from reports.models import Report
from reports.querysets import ReportQuerySet

if TYPE_CHECKING:
    from accounts.models import User


def get_case(user: "User", case_id: uuid.UUID) -> Case:
    """Return a case the user may see, with what a report says of it; else Http404."""
    cases = Case.objects.visible_to(user).select_related("patient", "specimen", "submitted_by")
    return get_object_or_404(cases, pk=case_id)


def get_report(user: "User", report_id: uuid.UUID) -> Report:
    """Return a report of a case the user may see, with its signature; else Http404."""
    return get_object_or_404(Report.objects.visible_to(user).with_signatures(), pk=report_id)


def get_patient(user: "User", patient_id: uuid.UUID) -> Patient:
    """Return a patient whose record the user may read; else Http404."""
    return get_object_or_404(Patient.objects.visible_to(user), pk=patient_id)


def versions_of(case: Case) -> ReportQuerySet:
    """Return all versions of a case's report, the latest first."""
    return case.reports.with_signatures().order_by("-version")


def reports_of(patient: Patient) -> ReportQuerySet:
    """Return all versions of all reports of a patient, the latest case and version first."""
    reports = Report.objects.filter(case__patient=patient).with_signatures()
    return reports.select_related("case__specimen", "superseded_by").order_by(
        "-case__registered_at", "-version"
    )


def is_open_for_signing(case: Case) -> bool:
    """Say whether the lifecycle knows a signature from here."""
    return case.status in lifecycle.TRANSITIONS["sign_off"].sources


def problems_before_signing(case: Case) -> list[str]:
    """Return what the lifecycle would refuse to sign, in sentences."""
    found = (guard(case) for guard in lifecycle.TRANSITIONS["sign_off"].guards)
    return [problem for problem in found if problem]
