"""Read models of the report pages."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet
from django.shortcuts import get_object_or_404

from classifier import lifecycle, policies
from classifier.models import Case, Patient
from classifier.selectors.patients import get_standing
from reports.canonical import ContentError
from reports.content import CriticalResult, ReportContent
from reports.models import Report, WithdrawalRequest
from reports.querysets import ReportQuerySet

if TYPE_CHECKING:
    from accounts.models import User


MOST_WITHDRAWALS = 200


def get_case(user: "User", case_id: uuid.UUID) -> Case:
    """Return a case the user may see, with what a report says of it; else Http404."""
    cases = Case.objects.visible_to(user).select_related("patient", "specimen", "submitted_by")
    return get_object_or_404(cases, pk=case_id)


def get_report(user: "User", report_id: uuid.UUID) -> Report:
    """Return a report of a case the user may see, with its signature; else Http404."""
    return get_object_or_404(Report.objects.visible_to(user).with_signatures(), pk=report_id)


def find_verified(code: str) -> Report | None:
    """Return the report that a verification code stands for, to anybody who holds the code."""
    if not code:
        return None
    return Report.objects.with_signatures().filter(verification_code=code).first()


def get_withdrawal(user: "User", request_id: uuid.UUID) -> WithdrawalRequest:
    """Return a request to withdraw a report the user may see; else Http404."""
    return get_object_or_404(_withdrawals(user), pk=request_id)


def list_withdrawals(user: "User") -> QuerySet[WithdrawalRequest]:
    """Return what was asked for, the undecided first, the latest of each first."""
    undecided_first = F("decided_at").desc(nulls_first=True)
    return _withdrawals(user).order_by(undecided_first, "-requested_at")[:MOST_WITHDRAWALS]


def find_open_withdrawal(report: Report) -> WithdrawalRequest | None:
    """Return the request to withdraw this version that nobody has decided yet."""
    return report.withdrawals.filter(decided_at=None).first()


def _withdrawals(user: "User") -> QuerySet[WithdrawalRequest]:
    requests = WithdrawalRequest.objects.filter(report__in=Report.objects.visible_to(user))
    return requests.select_related(
        "report__case__patient", "report__sign_off", "requested_by", "decided_by"
    )


def get_patient(user: "User", patient_id: uuid.UUID) -> Patient:
    """Return the record that stands for a patient, if the user may read it; else Http404."""
    return get_standing(user, patient_id)


def versions_of(case: Case) -> ReportQuerySet:
    """Return all versions of a case's report, the latest first."""
    return case.reports.with_signatures().order_by("-version")


def reports_of(patient: Patient) -> ReportQuerySet:
    """Return all versions of all reports of a patient, the latest case and version first."""
    reports = Report.objects.filter(case__patient=patient).with_signatures()
    return reports.select_related("case__specimen", "superseded_by").order_by(
        "-case__registered_at", "-version"
    )


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report in the list, and what stands out in it."""

    report: Report
    says: ReportContent | None
    flagged: tuple[tuple[str, str], ...] = ()
    """Names of what lies beyond its reference interval, each with its flag's code."""
    critical: tuple[CriticalResult, ...] = ()


def list_current(user: "User") -> ReportQuerySet:
    """Return the current versions of the reports that the user may see, the latest first."""
    return Report.objects.visible_to(user).current().with_signatures().order_by("-issued_at", "pk")


def describe_reports(reports: Sequence[Report]) -> list[ReportRow]:
    """Return the rows of one page; what can't be read any more says nothing."""
    return [_describe(report) for report in reports]


def _describe(report: Report) -> ReportRow:
    try:
        says = report.says
    except (ContentError, ValueError, ArithmeticError):
        return ReportRow(report, None)
    flags = [(row.cell_type.display, row.flag) for row in says.differential]
    if says.white_count:
        flags.append(("WBC", says.white_count.flag))
    if says.fields:
        flags.append(("Platelets", says.fields.platelets_flag))
    flags += [(item.analyte.display, item.flag) for item in says.analyser_results]
    flagged = tuple((name, flag.code) for name, flag in flags if flag)
    return ReportRow(report, says, flagged, says.critical.results if says.critical else ())


def is_open_for_signing(case: Case) -> bool:
    """Say whether the lifecycle knows a signature from here."""
    return case.status in lifecycle.TRANSITIONS["sign_off"].sources or awaits_review(case)


def awaits_review(case: Case) -> bool:
    """Say whether nobody has the case open, so that only an interim result can be released."""
    return case.status in lifecycle.TRANSITIONS["issue_interim_unopened"].sources


def may_sign(user: "User", case: Case) -> bool:
    """Say whether the person may issue anything from here."""
    if awaits_review(case):
        return policies.can_issue_interim(user, case)
    return policies.can_sign_off(user, case)


def problems_before_signing(case: Case, move: str) -> list[str]:
    """Return what the lifecycle would refuse to sign by this move, in sentences."""
    found = (guard(case) for guard in lifecycle.TRANSITIONS[move].guards)
    return [problem for problem in found if problem]
