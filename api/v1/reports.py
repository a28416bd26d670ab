"""Signed reports: list, read, fetch. A token signs nothing: that takes its owner's password."""

import uuid

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.reports import ReportList, ReportShape
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import problems, reads
from reports import selectors
from reports.services.reading import read_content, read_pdf, record_download
from reports.views.documents import DATA_FORMS

TAG = "Reports"


class CaseReports(ApiView):
    """The versions of a case's report."""

    scopes = {"GET": Scope.REPORTS_READ}

    @reads(ReportList, tag=TAG, summary="List a case's reports", operation_id="list_reports")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return all versions, the latest first; what isn't `is_current` was superseded."""
        case = selectors.get_case(request.user, pk)
        record_read(actor=request.user, patient=case.patient)
        versions = selectors.versions_of(case).select_related("superseded_by")
        return Response(ReportList({"results": versions}).data)


class OneReport(ApiView):
    """A version of a report."""

    scopes = {"GET": Scope.REPORTS_READ}

    @reads(ReportShape, tag=TAG, summary="Read a report's facts", operation_id="read_report")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return who signed which version when, and the hashes of what was signed."""
        report = selectors.get_report(request.user, pk)
        record_read(actor=request.user, patient=report.case.patient)
        return Response(ReportShape(report).data)


class ReportPdf(ApiView):
    """The PDF of a report."""

    scopes = {"GET": Scope.REPORTS_READ}

    @extend_schema(
        tags=[TAG],
        summary="Fetch the PDF",
        operation_id="fetch_report_pdf",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, **problems(404, 409)},
    )
    def get(self, request: TokenRequest, pk: uuid.UUID) -> HttpResponse:
        """Return the PDF that was signed, byte for byte; 409 if it isn't that any more."""
        report = selectors.get_report(request.user, pk)
        data = read_pdf(report, actor=request.user)
        record_download(report, actor=request.user, form="pdf")
        return HttpResponse(data, content_type="application/pdf")


class ReportData(ApiView):
    """What a report says, as data."""

    scopes = {"GET": Scope.REPORTS_READ}

    @extend_schema(
        tags=[TAG],
        summary="Fetch the content",
        operation_id="fetch_report_data",
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"): (
                OpenApiTypes.BINARY
            ),
            **problems(404, 409),
        },
    )
    def get(self, request: TokenRequest, pk: uuid.UUID, form: str) -> HttpResponse:
        """Return what was signed as `json`, `csv` or `xlsx`; 409 if it isn't that any more."""
        if form not in DATA_FORMS:
            raise NotFound("Reports come as json, csv and xlsx.")
        report = selectors.get_report(request.user, pk)
        render_as, content_type = DATA_FORMS[form]
        content = read_content(report, actor=request.user)
        record_download(report, actor=request.user, form=form)
        return HttpResponse(render_as(content), content_type=content_type)
