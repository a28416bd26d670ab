"""Opening a case, following it, and moving it along."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.audit import record_read
from classifier import guards, lifecycle, policies
from classifier.enums import REVIEWABLE, CaseStatus, ImageKind
from classifier.exceptions import DomainError, NotPermitted
from classifier.forms import OrderForm, ReasonForm, SpecimenForm, UploadForm
from classifier.models import Case, SmearImage
from classifier.selectors import intake
from classifier.selectors.differential import get_differential
from classifier.selectors.disposed import disposed_of
from classifier.selectors.holds import open_hold
from classifier.selectors.identity import story_of
from classifier.selectors.legal_holds import holding_of_case
from classifier.selectors.patients import get_standing
from classifier.selectors.reference_counts import studies_of
from classifier.selectors.slides import case_slides, token_of
from classifier.selectors.sufficiency import reasons_for_more
from classifier.services import cases as case_services
from classifier.services.transitions import transition
from classifier.views.access import (
    MemberRequest,
    attempt,
    duty_required,
    leading_to_restricted,
)
from classifier.views.critical import critical_context


@dataclass(frozen=True, slots=True)
class ReasonedMove:
    """How a page asks for the reason of a move."""

    title: str
    explanation: str
    button: str
    done: str
    is_final: bool


REASONED_MOVES: Mapping[str, ReasonedMove] = {
    "review_manually": ReasonedMove(
        "Review manually",
        "The case goes to the pathologist as it is; what was not classified is read by eye.",
        "Send to review",
        "The case was sent to review without a complete classification.",
        is_final=False,
    ),
    "reject": ReasonedMove(
        "Reject the specimen",
        "Nothing more can be done with this case. Say what is wrong with the specimen.",
        "Reject specimen",
        "The specimen was rejected.",
        is_final=True,
    ),
    "cancel": ReasonedMove(
        "Cancel the case",
        "For a case opened in error or no longer wanted. It stays on record as cancelled.",
        "Cancel case",
        "The case was cancelled.",
        is_final=True,
    ),
}


@duty_required("register_patient")
@require_http_methods(["GET", "POST"])
def new(request: MemberRequest, patient_pk: uuid.UUID) -> HttpResponse:
    """Open a case for a patient."""
    patient = get_standing(request.user, patient_pk)
    data = request.POST if request.method == "POST" else None
    order_form, specimen_form = OrderForm(data), SpecimenForm(data)
    # Both are always asked, so that every mistake is shown at once.
    if data is not None and all([order_form.is_valid(), specimen_form.is_valid()]):
        try:
            case = case_services.open_case(
                actor=request.user,
                patient=patient,
                order=order_form.order(),
                specimen=specimen_form.specimen(),
            )
        except NotPermitted as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except DomainError as refusal:
            specimen_form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Case {case.accession_number} registered.")
            return redirect(case)
    context = {"patient": patient, "order_form": order_form, "specimen_form": specimen_form}
    status = 200 if data is None else 422
    return render(request, "classifier/case_new.html", context, status=status)


@duty_required("view_patient")
@require_GET
@leading_to_restricted("case")
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a case: its images while it is prepared, its progress and results afterwards."""
    case = intake.get_case(request.user, pk)
    record_read(actor=request.user, patient=case.patient)
    return render(request, "classifier/case_detail.html", case_context(request, case))


@duty_required("view_patient")
@require_GET
def status(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the case's changing part; nothing (204) if it stands where the page last saw it."""
    case = intake.get_case(request.user, pk)
    context = case_context(request, case)
    if request.GET.get("seen") == context["token"]:
        return HttpResponse(status=204)
    return render(request, "classifier/partials/_case_body.html", context)


@duty_required("submit_case")
@require_POST
def submit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Hand the case to the classifier."""
    return _move(request, pk, case_services.submit_case)


@duty_required("submit_case")
@require_POST
def retry(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Classify the failed images again."""
    return _move(request, pk, case_services.retry_classification)


@duty_required("submit_case")
@require_POST
def take_back(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Open a case for more images before anybody reviews it."""
    return _move(request, pk, case_services.take_back)


@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def move_with_reason(request: MemberRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    """Ask why, then reject or cancel the case or send it to review unclassified."""
    case = intake.get_case(request.user, pk)
    move = REASONED_MOVES.get(name)
    if move is None:
        raise Http404
    if request.method == "GET" and name not in offered_moves(request, case):
        raise PermissionDenied("You may not do this with this case.")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        attempt(
            request,
            transition,
            success=move.done,
            case_id=case.pk,
            name=name,
            actor=request.user,
            reason=form.cleaned_data["reason"],
        )
        return redirect(case)
    context = {"case": case, "form": form, "move": move}
    return render(request, "classifier/case_reason.html", context)


def offered_moves(request: MemberRequest, case: Case) -> frozenset[str]:
    """Return the moves that the case page offers to this person now."""
    moves = frozenset(lifecycle.available(case, request.user))
    # Once review has opened, rejecting belongs to the review page.
    return moves if case.status in policies.TECHNICIAN_STAGE else moves - {"reject"}


def case_context(request: MemberRequest, case: Case) -> dict[str, Any]:
    """Return what the case page and its fragments show."""
    images = list(intake.case_images(case))
    slides = list(case_slides(case))
    progress = intake.progress_of(images)
    moves = offered_moves(request, case)
    may_change_images = "submit" in moves
    hold = open_hold() if case.status == CaseStatus.IN_CLASSIFICATION else None
    return {
        "case": case,
        "patient": case.patient,
        "images": images,
        "slides": slides,
        "slides_token": token_of(slides),
        "slides_in_work": any(slide.is_in_work for slide in slides),
        "progress": progress,
        "read_by": intake.classifiers_of(images),
        "hold": hold,
        "token": f"{case.status}-{progress.token}-{hold.pk if hold else ''}",
        "moves": moves,
        "can_see_cells": case.status in REVIEWABLE,
        "may_change_images": may_change_images,
        "poor_fields": [image for image in images if image.advice],
        "reasons_for_more": _reasons_for_more(case, images),
        "submit_problem": _submit_problem(case) if may_change_images else None,
        "was_returned": case.status == CaseStatus.REGISTERED and case.status_reason,
        "upload_form": UploadForm(),
        "upload_limit": settings.MAX_UPLOAD_BYTES,
        "upload_limit_mb": settings.MAX_UPLOAD_BYTES // 1024**2,
        "history": intake.case_history(case),
        "studies": studies_of(request.user, case),
        "story": story_of(request.user, case),
        "holding": holding_of_case(request.user, case),
        "disposed": disposed_of([*images, *slides]),
    } | critical_context(request, case, came_from="case")


def _submit_problem(case: Case) -> str | None:
    return guards.slides_are_settled(case) or guards.has_usable_image(case)


def _reasons_for_more(case: Case, images: Sequence[SmearImage]) -> tuple[str, ...]:
    """Say why more fields are needed, while the technician can still take them."""
    if case.status != CaseStatus.AWAITING_REVIEW:
        return ()
    fields = sum(image.kind == ImageKind.FIELD for image in images)
    return reasons_for_more(get_differential(case), fields=fields)


def _move(request: MemberRequest, pk: uuid.UUID, service: Callable[..., Any]) -> HttpResponse:
    """Move the case; that it worked shows by itself on the case page."""
    case = intake.get_case(request.user, pk)
    attempt(request, service, case_id=case.pk, actor=request.user)
    return redirect(case)
