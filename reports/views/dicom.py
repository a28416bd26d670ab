"""Downloads as DICOM: a picture of a case, a signed report."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from classifier.models import Case, SmearImage
from classifier.views.access import MemberRequest, duty_required
from ml.errors import ImageRejected
from reports import selectors
from reports.exceptions import ReportTampered
from reports.services import dicom
from reports.views.documents import refuse
from vault.exceptions import Disposed

UNREADABLE = "The stored picture can't be read; tell your administrator."
CONFLICT = 409


@duty_required("view_patient")
@never_cache
@require_GET
def image(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return a picture as VL Microscopic Image."""
    pictures = SmearImage.objects.filter(case__in=Case.objects.visible_to(request.user))
    picture = get_object_or_404(
        pictures.select_related("case__patient", "case__specimen", "slide"), pk=pk
    )
    try:
        data = dicom.export_image(picture, actor=request.user)
    except Disposed:
        raise
    except (OSError, ImageRejected):
        return HttpResponse(UNREADABLE, status=CONFLICT, content_type="text/plain; charset=utf-8")
    return _file(data, f"{picture.case.accession_number}-{dicom.number_of(picture)}")


@duty_required("view_patient")
@never_cache
@require_GET
def report(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the signed PDF as Encapsulated PDF."""
    found = selectors.get_report(request.user, pk)
    try:
        data = dicom.export_report(found, actor=request.user)
    except ReportTampered as refusal:
        return refuse(request, found, refusal)
    return _file(data, found.file_stem)


def _file(data: bytes, stem: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/dicom")
    response["Content-Disposition"] = f'attachment; filename="{stem}.dcm"'
    return response
