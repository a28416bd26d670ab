"""Downloads of a report as a FHIR Bundle: to read as a document, or to store."""

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from classifier.views.access import MemberRequest, duty_required
from reports import selectors
from reports.exceptions import DocumentFailed, ReportTampered
from reports.fhir.bundles import make_document, make_transaction
from reports.fhir.writing import to_bytes
from reports.services.fhir import read_signed
from reports.services.reading import record_download

NOT_AS_SIGNED = 409
BUNDLES = {"document": make_document, "transaction": make_transaction}
MEDIA_TYPE = "application/fhir+json; charset=utf-8"


@duty_required("view_patient")
@never_cache
@require_GET
def bundle(request: MemberRequest, pk: uuid.UUID, *, kind: str) -> HttpResponse:
    """Return what was signed, its PDF and pictures as one Bundle."""
    report = selectors.get_report(request.user, pk)
    try:
        made = BUNDLES[kind](read_signed(report, actor=request.user, with_files=True))
    except (DocumentFailed, ReportTampered) as refusal:
        context = {"report": report, "case": report.case, "refusal": refusal}
        return render(request, "reports/not_as_signed.html", context, status=NOT_AS_SIGNED)
    record_download(report, actor=request.user, form=f"fhir {kind}")
    response = HttpResponse(to_bytes(made), content_type=MEDIA_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{report.file_stem}-{kind}.fhir.json"'
    return response
