"""Everything about a patient as one archive: asked for, watched, downloaded, deleted."""

import uuid

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.audit import record_read
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Patient
from classifier.selectors.patients import get_standing
from classifier.views.access import MemberRequest, attempt, duty_required, leading_to_restricted
from retention import policies
from retention.forms import CopyForm
from retention.models import PatientCopy
from retention.services import patient_copies as services

KEEP = "manage_retention"
MOST_SHOWN = 20


@duty_required(KEEP)
@never_cache
@require_http_methods(["GET", "POST"])
@leading_to_restricted("patient")
def index(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a patient's archives and take the wish for another; a fragment refreshes the list."""
    if not policies.can_copy_patients(request.user):
        raise PermissionDenied
    patient = get_standing(request.user, pk)
    record_read(actor=request.user, patient=patient)
    form = CopyForm(request.POST) if request.method == "POST" else CopyForm.blank()
    if form.is_bound and form.is_valid() and _ask(request, patient, form):
        return redirect("retention:patient_copies", patient.pk)
    copies = list(
        PatientCopy.objects.filter(patient=patient).select_related("requested_by")[:MOST_SHOWN]
    )
    context = {
        "patient": patient,
        "form": form,
        "copies": copies,
        "is_working": any(copy.is_unfinished for copy in copies),
        "kept_days": services.KEPT.days,
    }
    fragment = request.htmx and not request.htmx.history_restore_request
    template = "partials/_copies.html" if fragment else "patient_copies.html"
    return render(request, f"retention/{template}", context, status=422 if form.errors else 200)


@duty_required(KEEP)
@never_cache
@require_GET
def archive(request: MemberRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Hand out an archive; recorded first."""
    copy = _copy(request, pk)
    try:
        file = services.open_copy(copy=copy, actor=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except GuardFailed as refusal:
        return HttpResponse(str(refusal), status=410, content_type="text/plain; charset=utf-8")
    name = f"patient-{copy.requested_at:%Y%m%d}-{str(copy.pk)[:8]}.zip"
    return FileResponse(file, as_attachment=True, filename=name)


@duty_required(KEEP)
@require_POST
def delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete an archive before its time."""
    copy = _copy(request, pk)
    attempt(
        request,
        services.delete_copy,
        success="The archive was deleted.",
        copy=copy,
        actor=request.user,
    )
    return redirect("retention:patient_copies", copy.patient_id)


def _copy(request: MemberRequest, pk: uuid.UUID) -> PatientCopy:
    visible = Patient.objects.visible_to(request.user)
    return get_object_or_404(PatientCopy.objects.filter(patient__in=visible), pk=pk)


def _ask(request: MemberRequest, patient: Patient, form: CopyForm) -> bool:
    try:
        services.request_copy(actor=request.user, patient=patient, **form.cleaned_data)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except GuardFailed as refusal:
        form.add_error(None, str(refusal))
        return False
    return True
