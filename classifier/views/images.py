"""A case's images: adding without scripts, removing, naming their kind, and their bytes."""

import uuid
from typing import TypeVar

from django.contrib import messages
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_read
from classifier.enums import CellOrigin
from classifier.exceptions import ImageRefused
from classifier.forms import KindForm, UploadForm
from classifier.models import Case, Cell
from classifier.selectors import intake
from classifier.services import thumbnails
from classifier.services.images import add_image, remove_image, set_kind
from classifier.views.access import MemberRequest, attempt, duty_required
from classifier.views.cases import case_context
from ml.errors import ImageRejected
from vault.exceptions import Disposed
from vault.storage import refuse_disposed

Response = TypeVar("Response", bound=HttpResponseBase)


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
    image = intake.get_image(request.user, pk)
    attempt(request, remove_image, image=image, actor=request.user)
    return _after_change(request, image.case)


@duty_required("upload_image")
@require_POST
def change_kind(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Overrule whether an image shows a single cell or a field."""
    image = intake.get_image(request.user, pk)
    form = KindForm(request.POST)
    if form.is_valid():
        kind = form.cleaned_data["kind"]
        attempt(request, set_kind, image=image, actor=request.user, kind=kind)
    return _after_change(request, image.case)


@duty_required("view_patient")
@require_GET
def full(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the lossless image; the audit trail keeps that the record was read."""
    image = intake.get_image(request.user, pk)
    record_read(actor=request.user, patient=image.case.patient)
    refuse_disposed(image)
    return private_file(image.file.open("rb"), "image/png")


@duty_required("view_patient")
@require_GET
def thumbnail(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the small preview."""
    image = intake.get_image(request.user, pk)
    refuse_disposed(image)
    return private_file(image.thumbnail.open("rb"), "image/webp")


@duty_required("view_patient")
@require_GET
def cell_thumbnail(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return a small picture of one cell; of a single-cell image it is the image's own.

    The page names the box that it shows, so that its picture never changes and is asked for once.
    """
    cells = Cell.objects.filter(image__case__in=Case.objects.visible_to(request.user))
    cell = get_object_or_404(cells.select_related("image"), pk=pk)
    refuse_disposed(cell.image)
    box = request.GET.get("box", "")
    if cell.origin == CellOrigin.FULL_FRAME:
        return private_file(cell.image.thumbnail.open("rb"), "image/webp", is_final=bool(box))
    picture = thumbnails.find_picture(cell.image, box)
    if picture is None:
        return private_file(_cut_now(cell.pk), "image/webp")
    return private_file(picture, "image/webp", is_final=True)


@duty_required("view_patient")
@require_GET
def cell_picture(request: MemberRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Return a field's cell with its surroundings, as the field has them pixel for pixel.

    A single-cell image is its cell's picture. The page names the box that it shows, so that its
    picture never changes and is asked for once.
    """
    cells = Cell.objects.filter(image__case__in=Case.objects.visible_to(request.user))
    cell = get_object_or_404(cells.select_related("image"), pk=pk)
    refuse_disposed(cell.image)
    if cell.origin == CellOrigin.FULL_FRAME:
        return redirect("classifier:image", cell.image_id)
    box = request.GET.get("box", "")
    picture = thumbnails.find_picture(cell.image, box, thumbnails.LARGE)
    if picture is None:
        return private_file(_cut_now(cell.pk, thumbnails.LARGE), "image/webp")
    etag = quote_etag(f"{cell.image_id}-{box}")
    if known := get_conditional_response(request, etag=etag):
        picture.close()
        return make_private(known, is_final=True)
    answer = private_file(picture, "image/webp", is_final=True)
    answer["ETag"] = etag
    return answer


def _cut_now(pk: uuid.UUID, kind: str = thumbnails.SMALL) -> File:
    """The picture of a cell that no worker has come to yet."""
    try:
        cell = Cell.objects.with_findings().select_related("image").get(pk=pk)
        return thumbnails.open_cell(cell, kind)
    except Disposed:
        raise
    except (OSError, ImageRejected) as error:
        raise Http404 from error


def private_file(file: File, content_type: str, *, is_final: bool = False) -> FileResponse:
    """Send a file that only this browser may keep, and that it must not take for anything else."""
    return make_private(FileResponse(file, content_type=content_type), is_final=is_final)


def make_private(response: Response, *, is_final: bool = False) -> Response:
    """Let only this browser keep the answer, and take it for nothing else than what it is.

    What is final never changes at its address, and is kept without asking again.
    """
    kept = "max-age=31536000, immutable" if is_final else "max-age=3600"
    response["Cache-Control"] = f"private, {kept}"
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
