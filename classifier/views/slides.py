"""Whole slides: looking at them tile by tile, having fields taken, removing one."""

import uuid
from typing import Any

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_read
from classifier import policies, slide_files
from classifier.enums import CaseStatus
from classifier.forms import FieldsForm
from classifier.models import Slide
from classifier.selectors import intake
from classifier.selectors.disposed import disposed_of
from classifier.selectors.slides import SlideView, get_slide, view_slide
from classifier.services import slides as slide_services
from classifier.views.access import MemberRequest, attempt, duty_required
from classifier.views.cases import case_context
from classifier.views.images import make_private, private_file
from ml.errors import SlideRejected
from ml.slides.deepzoom import tile as read_tile
from vault.storage import refuse_disposed


@duty_required("view_patient")
@require_GET
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a slide; the audit trail keeps that the record was read."""
    slide = get_slide(request.user, pk)
    if not slide.is_ready:
        return redirect(slide.case)
    record_read(actor=request.user, patient=slide.case.patient)
    return render(request, "classifier/slide.html", slide_context(request, slide))


@duty_required("view_patient")
@require_GET
def fields(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the fields taken so far; nothing (204) if they stand where the page last saw them."""
    slide = get_slide(request.user, pk)
    context = slide_context(request, slide)
    if request.GET.get("seen") == context["view"].token:
        return HttpResponse(status=204)
    return render(request, "classifier/partials/_slide_fields.html", context)


@duty_required("view_patient")
@require_GET
def tile(request: MemberRequest, pk: uuid.UUID, level: int, column: int, row: int) -> HttpResponse:
    """Return a tile of the slide, JPEG, for the browser's own cache alone."""
    slide = get_slide(request.user, pk)
    if not slide.is_ready:
        raise Http404
    refuse_disposed(slide)
    try:
        with slide_files.opened(slide) as source:
            data = read_tile(source, level, column, row)
    except (ValueError, OSError, SlideRejected) as error:
        raise Http404 from error
    return make_private(HttpResponse(data, content_type="image/jpeg"))


@duty_required("view_patient")
@require_GET
def thumbnail(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the small preview."""
    slide = get_slide(request.user, pk)
    if not slide.thumbnail:
        raise Http404
    return private_file(slide.thumbnail.open("rb"), "image/webp")


@duty_required("view_patient")
@require_GET
def of_case(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the case's images anew once one of its slides has changed; else nothing (204)."""
    context = case_context(request, intake.get_case(request.user, pk))
    if request.GET.get("seen") == context["slides_token"]:
        return HttpResponse(status=204)
    return render(request, "classifier/partials/_images.html", context)


@duty_required("upload_image")
@require_POST
def ask(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Have fields of the monolayer taken."""
    slide = get_slide(request.user, pk)
    form = FieldsForm(request.POST)
    if not form.is_valid():
        context = {**slide_context(request, slide), "form": form}
        return render(request, "classifier/slide.html", context, status=422)
    attempt(
        request,
        slide_services.ask_for_fields,
        slide=slide,
        actor=request.user,
        count=form.cleaned_data["count"],
    )
    return redirect(slide)


@duty_required("upload_image")
@require_POST
def remove(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a slide and its fields out of a case that is not submitted yet."""
    slide = get_slide(request.user, pk)
    case = slide.case
    attempt(
        request,
        slide_services.remove_slide,
        success=f"The slide {slide} was removed.",
        slide=slide,
        actor=request.user,
    )
    return redirect(case)


def slide_context(request: MemberRequest, slide: Slide) -> dict[str, Any]:
    """Return what the slide's page and its fragment show."""
    view: SlideView = view_slide(slide)
    may_take = slide.case.status == CaseStatus.REGISTERED and policies.can_submit(
        request.user, slide.case
    )
    return {
        "slide": slide,
        "disposed": disposed_of([slide]),
        "case": slide.case,
        "patient": slide.case.patient,
        "view": view,
        "may_take": may_take,
        "form": FieldsForm(initial={"count": slide_services.usual_count()}) if may_take else None,
        "most_fields": slide_services.MOST_FIELDS,
    }
