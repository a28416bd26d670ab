"""Signed reports of many cases: found by a filter, exported as one table."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classifier.exceptions import GuardFailed, NotPermitted
from classifier.views.access import MemberRequest, duty_required
from reports import listing, policies, selectors
from reports.filters import ReportFilter, asked_for
from reports.services import list_export

PAGE_SIZE: Final = 25
STREAMS: Final = {
    "csv": (listing.csv_lines, "text/csv; charset=utf-8"),
    "jsonl": (listing.json_lines, "application/jsonl; charset=utf-8"),
}


@duty_required("view_patient")
@never_cache
@require_GET
def report_list(request: MemberRequest) -> HttpResponse:
    """List the current reports that match; the last 30 days if nothing is asked for."""
    found = _filtered(request, request.GET)
    page = Paginator(found.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    chosen = found.form.cleaned_data.get("patient") if found.form.is_valid() else None
    context = {
        "filter": found,
        "page": page,
        "rows": selectors.describe_reports(list(page.object_list)),
        "query": urlencode(found.description()),
        "asked": found.description(),
        "patient": chosen.standing if chosen else None,
        "without_patient": urlencode(found.description() | {"patient": ""}),
        "may_export": policies.can_export_lists(request.user),
    }
    return render(request, "reports/report_list.html", context)


@duty_required("view_patient")
@never_cache
@require_POST
def export_list(request: MemberRequest) -> HttpResponseBase:
    """Send the filtered reports as CSV, JSON lines or a workbook; recorded first."""
    found = _filtered(request, request.POST)
    form = request.POST.get("form", "")
    if form not in (*STREAMS, "xlsx") or not found.form.is_valid():
        return redirect("reports:report_list")
    asked = found.description()
    try:
        reports = list_export.begin_export(
            actor=request.user, reports=found.qs, form=form, asked=asked
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except GuardFailed as refusal:
        messages.error(request, str(refusal))
        return redirect(f"{reverse('reports:report_list')}?{urlencode(asked)}")
    each = list_export.read_each(reports, actor=request.user)
    name = f"reports-{timezone.now():%Y%m%dT%H%M%SZ}.{form}"
    if form == "xlsx":
        book = list_export.write_workbook(each, asked=asked)
        return FileResponse(book, as_attachment=True, filename=name)
    lines, content_type = STREAMS[form]
    return StreamingHttpResponse(
        lines(each),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _filtered(request: MemberRequest, data: QueryDict) -> ReportFilter:
    reports = selectors.list_current(request.user)
    return ReportFilter(asked_for(data), queryset=reports, request=request)
