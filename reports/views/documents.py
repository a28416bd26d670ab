"""Reading issued reports: the page, the PDF, the data, and a patient's list."""

import uuid
from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.audit import record_read
from classifier import policies
from classifier.enums import CaseStatus
from classifier.services.reviews import find_open_review
from classifier.views.access import MemberRequest, duty_required, leading_to_restricted
from reports import selectors
from reports.content import ReportContent
from reports.exceptions import ReportTampered
from reports.layouts import load_images
from reports.models import Report
from reports.pdf import document_context
from reports.schema import render_json
from reports.services.reading import read_content, read_pdf, record_download
from reports.tabular import render_csv
from reports.xlsx import render_xlsx

NOT_AS_SIGNED = 409
DATA_FORMS: dict[str, tuple[Callable[[ReportContent], bytes], str]] = {
    "csv": (render_csv, "text/csv; charset=utf-8"),
    "xlsx": (
        render_xlsx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "json": (render_json, "application/json"),
}


@duty_required("view_patient")
@never_cache
@require_GET
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one version, verified against its signature, with the versions beside it."""
    report = selectors.get_report(request.user, pk)
    record_read(actor=request.user, patient=report.case.patient)
    try:
        read_pdf(report, actor=request.user)
        content = read_content(report, actor=request.user)
        context = document_context(content, load_images(content))
    except ReportTampered as refusal:
        return refuse(request, report, refusal)
    is_other = content.patient.id != str(report.case.patient_id)
    context |= {"signed_as": content.patient if is_other else None}
    return render(request, "reports/report_detail.html", context | _surroundings(request, report))


@duty_required("view_patient")
@require_GET
@leading_to_restricted("case")
def case_report(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Lead from a case to the current version of its report."""
    case = selectors.get_case(request.user, pk)
    return redirect(get_object_or_404(selectors.versions_of(case).current()))


@duty_required("view_patient")
@never_cache
@require_GET
def pdf(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the PDF that was signed, byte for byte, once its hash is verified."""
    report = selectors.get_report(request.user, pk)
    try:
        data = read_pdf(report, actor=request.user)
    except ReportTampered as refusal:
        return refuse(request, report, refusal)
    record_download(report, actor=request.user, form="pdf")
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{report.file_stem}.pdf"'
    return response


@duty_required("view_patient")
@never_cache
@require_GET
def export(request: MemberRequest, pk: uuid.UUID, *, form: str) -> HttpResponse:
    """Return what was signed as a file of data: CSV, XLSX or JSON."""
    report = selectors.get_report(request.user, pk)
    render_as, content_type = DATA_FORMS[form]
    try:
        content = read_content(report, actor=request.user)
    except ReportTampered as refusal:
        return refuse(request, report, refusal)
    record_download(report, actor=request.user, form=form)
    response = HttpResponse(render_as(content), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{report.file_stem}.{form}"'
    return response


@duty_required("view_patient")
@require_GET
@leading_to_restricted("patient")
def patient_reports(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List all reports of a patient, superseded versions marked."""
    patient = selectors.get_patient(request.user, pk)
    if patient.pk != pk:
        return redirect("reports:patient_reports", patient.pk)
    record_read(actor=request.user, patient=patient)
    context = {"patient": patient, "reports": selectors.reports_of(patient)}
    return render(request, "reports/patient_reports.html", context)


def _surroundings(request: MemberRequest, report: Report) -> dict[str, object]:
    """Return what the page says beside the report."""
    case = report.case
    versions = list(selectors.versions_of(case))
    is_current = versions[0].pk == report.pk
    is_amending = case.status == CaseStatus.AMENDING
    return {
        "report": report,
        "case": case,
        "versions": versions,
        "current": versions[0],
        "is_current": is_current,
        "open_amendment": find_open_review(case) if is_amending else None,
        "withdrawal": selectors.find_open_withdrawal(report),
        "may_withdraw": is_current
        and case.status == CaseStatus.SIGNED_OFF
        and policies.can_ask_withdrawal(request.user, case),
        "may_decide": policies.can_confirm_withdrawal(request.user, case),
        "may_amend": is_current
        and case.status == CaseStatus.SIGNED_OFF
        and policies.can_amend(request.user, case),
        "may_finish": is_amending and policies.can_edit_review(request.user, case),
    }


def refuse(request: MemberRequest, report: Report, refusal: ReportTampered) -> HttpResponse:
    """Say that a report is not handed out, as it is not the one that was signed."""
    context = {"report": report, "case": report.case, "refusal": refusal}
    return render(request, "reports/not_as_signed.html", context, status=NOT_AS_SIGNED)
