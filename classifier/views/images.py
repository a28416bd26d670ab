"""A case's images: adding without scripts, removing, naming their kind, and their bytes."""

import uuid

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_read
from classifier.exceptions import ImageRefused
from classifier.forms import KindForm, UploadForm
from classifier.models import Case, SmearImage
from classifier.selectors import intake
from classifier.services.images import add_image, remove_image, set_kind
from classifier.views.access import MemberRequest, attempt, duty_required
from classifier.views.cases import case_context


@duty_required("upload_image")
@require_POST
def add(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take many files sent by a plain form; each refused one is named, the others stay."""
    case = intake.get_case(request.user, pk)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, "Choose at least one image.")
        return redirect(case)
    accepted = sum(_add_one(request, case, file) for file in form.cleaned_data["images"])
    if accepted:
        noun = "image was" if accepted == 1 else "images were"
        messages.success(request, f"{accepted} {noun} added.")
    return redirect(case)


@duty_required("view_patient")
@require_GET
def panel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the images and the submit button of a case that is being prepared."""
    case = intake.get_case(request.user, pk)
    return render(request, "classifier/partials/_images.html", case_context(request, case))


@duty_required("upload_image")
@require_POST
def remove(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take an image out of a case that is not submitted yet."""
    image = _visible_image(request, pk)
    attempt(request, remove_image, image=image, actor=request.user)
    return _after_change(request, image.case)


@duty_required("upload_image")
@require_POST
def change_kind(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Overrule whether an image shows a single cell or a field."""
    image = _visible_image(request, pk)
    form = KindForm(request.POST)
    if form.is_valid():
        kind = form.cleaned_data["kind"]
        attempt(request, set_kind, image=image, actor=request.user, kind=kind)
    return _after_change(request, image.case)


@duty_required("view_patient")
@require_GET
def full(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the lossless image; the audit trail keeps that the record was read."""
    image = _visible_image(request, pk)
    record_read(actor=request.user, patient=image.case.patient)
    return _private_file(image.file, "image/png")


@duty_required("view_patient")
@require_GET
def thumbnail(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the small preview."""
    return _private_file(_visible_image(request, pk).thumbnail, "image/webp")


def _visible_image(request: MemberRequest, pk: uuid.UUID) -> SmearImage:
    images = SmearImage.objects.filter(case__in=Case.objects.visible_to(request.user))
    return get_object_or_404(images.select_related("case__patient"), pk=pk)


def _private_file(file: FieldFile, content_type: str) -> FileResponse:
    """Send bytes that only this browser may keep, and that it must not take for anything else."""
    response = FileResponse(file.open("rb"), content_type=content_type)
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _add_one(request: MemberRequest, case: Case, file: UploadedFile) -> bool:
    name = file.name or "image"
    try:
        add_image(case_id=case.pk, actor=request.user, data=file.read(), file_name=name)
    except ImageRefused as refusal:
        messages.error(request, f"{name}: {refusal}")
        return False
    return True


def _after_change(request: MemberRequest, case: Case) -> HttpResponse:
    if request.htmx:
        case = intake.get_case(request.user, case.pk)
        return render(request, "classifier/partials/_images.html", case_context(request, case))
    return redirect(case)
