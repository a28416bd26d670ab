"""Who looked at a patient's record: a page, and a list to hand to the patient."""

import uuid
from collections.abc import Iterator

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import audit, readings, selectors, trail_files
from classifier import policies
from classifier.models import Patient
from classifier.selectors.merging import records_of
from classifier.selectors.patients import get_standing
from classifier.selectors.restrictions import restricted_record
from classifier.views.access import MemberRequest, duty_required

_PER_PAGE = 50
_COLUMNS = (*readings.COLUMNS, "from")


@duty_required("view_audit")
@duty_required("view_patient")
@require_GET
@never_cache
def page(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show who read a patient's record, what and when; asking is recorded too."""
    patient = _patient(request, pk)
    audit.record_read(actor=request.user, patient=patient)
    found = readings.readings_of(records_of(patient))
    shown = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "patient": patient,
        "readers": readings.readers_among(found),
        "page": shown,
        "rows": [(selectors.describe(one), readings.is_break_glass(one)) for one in shown],
    }
    _note(request, patient, "patient.readers_listed")
    return render(request, "classifier/patient_readings.html", context)


@duty_required("view_audit")
@duty_required("view_patient")
@require_GET
@never_cache
def export(request: MemberRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """Send the same list as CSV, for a patient's request; no name is in it or in its file's."""
    patient = _patient(request, pk)
    _note(request, patient, "patient.readers_exported")
    name = f"readings-{timezone.now():%Y%m%dT%H%M%SZ}.csv"
    return StreamingHttpResponse(
        trail_files.csv_lines(_rows(patient), _COLUMNS),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _patient(request: MemberRequest, pk: uuid.UUID) -> Patient:
    if policies.can_protect_patients(request.user) and (patient := restricted_record(pk)):
        return patient
    return get_standing(request.user, pk)


def _rows(patient: Patient) -> Iterator[tuple[object, ...]]:
    for event in readings.readings_of(records_of(patient)).iterator(chunk_size=500):
        yield (*readings.row_of(event), event.client_address or "")


def _note(request: MemberRequest, patient: Patient, action: str) -> None:
    with transaction.atomic():
        audit.record(actor=request.user, action=action, target=patient, patient=patient)
