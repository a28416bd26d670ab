"""The review page and its plain forms; `classifier.api.reviews` serves its script."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_read
from classifier import lifecycle, policies
from classifier.enums import CaseStatus
from classifier.forms import ReasonForm
from classifier.models import Case, Review
from classifier.review_forms import CellsForm, CommentForm, NameForm, StepForm
from classifier.selectors import gallery, intake
from classifier.selectors.differential import count_cells
from classifier.services import corrections, reviews
from classifier.views.access import MemberRequest, attempt, duty_required

REVIEWABLE = (
    CaseStatus.AWAITING_REVIEW,
    CaseStatus.IN_REVIEW,
    CaseStatus.AMENDING,
    CaseStatus.SIGNED_OFF,
)


@duty_required("view_patient")
@require_GET
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the cells of a case: to work on for its reviewer, to read for everybody else."""
    case = intake.get_case(request.user, pk)
    if case.status not in REVIEWABLE:
        return redirect(case)
    record_read(actor=request.user, patient=case.patient)
    return render(request, "classifier/review.html", _page(request, case))


@duty_required("view_patient")
@require_GET
def summary(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the differential and what is left to do, as they now stand."""
    case = intake.get_case(request.user, pk)
    cells = gallery.list_cells(case)
    return render(
        request, "classifier/partials/_review_summary.html", _summary(request, case, cells)
    )


@duty_required("review_case")
@require_POST
def open_case(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Claim the case."""
    case = intake.get_case(request.user, pk)
    attempt(request, reviews.open_review, case_id=case.pk, actor=request.user)
    return redirect("classifier:review", case.pk)


@duty_required("review_case")
@require_POST
def name_cells(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Name a cell by the plain form."""
    return _step(request, pk, corrections.correct_cells, NameForm(request.POST))


@duty_required("review_case")
@require_POST
def accept_cells(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Accept the machine's reading of a cell by the plain form."""
    return _step(request, pk, corrections.accept_cells, CellsForm(request.POST))


@duty_required("review_case")
@require_POST
def undo(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the last step back by the plain form."""
    return _step(request, pk, corrections.undo_last, StepForm(request.POST))


@duty_required("review_case")
@require_POST
def comment(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Save the interpretation by the plain form."""
    return _step(request, pk, reviews.set_comment, CommentForm(request.POST), "Comment saved.")


@duty_required("view_patient")
@require_POST
def release(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give the case back to the worklist."""
    case = intake.get_case(request.user, pk)
    if attempt(
        request,
        reviews.release,
        success=f"{case.accession_number} is back on the worklist.",
        case_id=case.pk,
        actor=request.user,
    ):
        return redirect("classifier:worklist")
    return redirect("classifier:review", case.pk)


@duty_required("review_case")
@require_POST
def return_case(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Send the case back to the technician."""
    return _end(request, pk, reviews.return_to_technician, "went back to the technician.")


@duty_required("review_case")
@require_POST
def reject(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End a case whose specimen is unfit."""
    return _end(request, pk, reviews.reject, "was rejected.")


@duty_required("amend_report")
@require_POST
def withdraw(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Close an amendment that changed nothing."""
    case = intake.get_case(request.user, pk)
    attempt(
        request,
        reviews.withdraw_amendment,
        success="The amendment was withdrawn; the signed report stands.",
        case_id=case.pk,
        actor=request.user,
    )
    return redirect("classifier:review", case.pk)


def _step(
    request: MemberRequest,
    pk: uuid.UUID,
    service: Callable[..., Any],
    form: StepForm | CommentForm,
    success: str = "",
) -> HttpResponse:
    case = intake.get_case(request.user, pk)
    if form.is_valid():
        attempt(
            request,
            service,
            success=success,
            case_id=case.pk,
            actor=request.user,
            **form.cleaned_data,
        )
    else:
        messages.error(request, "Choose a cell and a class.")
    return redirect("classifier:review", case.pk)


def _end(
    request: MemberRequest, pk: uuid.UUID, service: Callable[..., Any], done: str
) -> HttpResponse:
    """End the review with a reason; without one, or if refused, stay on the page."""
    case = intake.get_case(request.user, pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason.")
    elif attempt(
        request,
        service,
        success=f"{case.accession_number} {done}",
        case_id=case.pk,
        actor=request.user,
        reason=form.cleaned_data["reason"],
    ):
        return redirect("classifier:worklist")
    return redirect("classifier:review", case.pk)


def _page(request: MemberRequest, case: Case) -> dict[str, Any]:
    cells = gallery.list_cells(case)
    groups = gallery.group_cells(cells)
    context = _summary(request, case, cells)
    chosen = _chosen(request, groups)
    return context | {
        "patient": case.patient,
        "groups": groups,
        "fields": gallery.list_fields(case),
        "chosen": chosen,
        "class_keys": gallery.CLASS_KEYS,
        "palette": gallery.with_chances(chosen),
        "script_data": _script_data(case, cells, is_editable=context["is_editable"]),
        "revision": reviews.revision_of(context["comment"]),
    }


def _summary(request: MemberRequest, case: Case, cells: list[gallery.CellView]) -> dict[str, Any]:
    review = reviews.find_open_review(case)
    moves = lifecycle.available(case, request.user)
    is_editable = policies.can_edit_review(request.user, case)
    return {
        "case": case,
        "review": review,
        "moves": moves,
        "is_editable": is_editable,
        "differential": count_cells(case, [cell.mark for cell in cells]),
        "comment": _comment(case, review),
        "can_undo": bool(is_editable and review and corrections.last_standing_action(review)),
        "step_id": uuid.uuid4(),
    }


def _comment(case: Case, review: Review | None) -> str:
    """Return the interpretation that is being written, or the one last written."""
    if review:
        return review.comment
    last = case.reviews.order_by("-pk").first()
    return last.comment if last else ""


def _chosen(request: MemberRequest, groups: list[gallery.Group]) -> gallery.CellView | None:
    """Return the cell that the address names, else the first one of the gallery."""
    shown = [cell for group in groups for cell in group.cells]
    wanted = request.GET.get("cell")
    named = (cell for cell in shown if str(cell.id) == wanted)
    return next(named, shown[0] if shown else None)


def _script_data(case: Case, cells: list[gallery.CellView], *, is_editable: bool) -> dict[str, Any]:
    placeholder = uuid.UUID(int=0)
    return {
        "editable": is_editable,
        "classes": [
            {"type": item.cell_type, "label": item.label, "short": item.short, "key": item.key}
            for item in gallery.CLASS_KEYS
        ],
        "cells": [cell.as_json() for cell in cells],
        "urls": {
            "correct": reverse("classifier:review_corrections", args=[case.pk]),
            "accept": reverse("classifier:review_acceptances", args=[case.pk]),
            "undo": reverse("classifier:review_undo_step", args=[case.pk]),
            "comment": reverse("classifier:review_comment_text", args=[case.pk]),
            "image": reverse("classifier:image", args=[placeholder]),
        },
        "placeholder": str(placeholder),
    }
