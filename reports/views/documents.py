"""Reading issued reports: the page, the PDF, the CSV, and a patient's list."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.audit import record_read
from classifier import policies
from classifier.enums import CaseStatus
from classifier.services.reviews import find_open_review
from classifier.views.access import MemberRequest, duty_required
from reports import selectors
from reports.exceptions import ReportTampered
from reports.models import Report
from reports.pdf import document_context
from reports.pictures import load_printed
from reports.services.reading import read_content, read_pdf, record_download
from reports.tabular import render_csv

NOT_AS_SIGNED = 409


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
        context = document_context(content, load_printed(content.pictures))
    except ReportTampered as refusal:
        return _refuse(request, report, refusal)
    return render(request, "reports/report_detail.html", context | _surroundings(request, report))


@duty_required("view_patient")
@require_GET
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
        return _refuse(request, report, refusal)
    record_download(report, actor=request.user, form="pdf")
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{report.file_stem}.pdf"'
    return response


@duty_required("view_patient")
@never_cache
@require_GET
def csv(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return what was signed as CSV."""
    report = selectors.get_report(request.user, pk)
    try:
        content = read_content(report, actor=request.user)
    except ReportTampered as refusal:
        return _refuse(request, report, refusal)
    record_download(report, actor=request.user, form="csv")
    response = HttpResponse(render_csv(content), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{report.file_stem}.csv"'
    return response


@duty_required("view_patient")
@require_GET
def patient_reports(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List all reports of a patient, superseded versions marked."""
    patient = selectors.get_patient(request.user, pk)
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
        "may_amend": is_current
        and case.status == CaseStatus.SIGNED_OFF
        and policies.can_amend(request.user, case),
        "may_finish": is_amending and policies.can_edit_review(request.user, case),
    }


def _refuse(request: MemberRequest, report: Report, refusal: ReportTampered) -> HttpResponse:
    context = {"report": report, "case": report.case, "refusal": refusal}
    return render(request, "reports/not_as_signed.html", context, status=NOT_AS_SIGNED)
