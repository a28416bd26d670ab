"""The review page and its plain forms; `classifier.api.reviews` serves its script."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_read
from classifier import lifecycle, policies
from classifier.enums import REVIEWABLE, CaseStatus
from classifier.forms import ReasonForm
from classifier.models import Case, Review
from classifier.review_forms import (
    CellsForm,
    CommentForm,
    LateResultsForm,
    NameForm,
    StepForm,
)
from classifier.selectors import gallery, intake
from classifier.selectors.cells import CellView, list_cells
from classifier.selectors.class_keys import CLASS_KEYS
from classifier.selectors.differential import count_cells
from classifier.selectors.fields import FieldsSummary, summarise_fields
from classifier.selectors.likeness import has_likeness
from classifier.selectors.morphology import list_lines
from classifier.selectors.reference_cells import cells_in_library
from classifier.selectors.sufficiency import reasons_for_more
from classifier.services import corrections, late_results, reviews
from classifier.services.history import read_history
from classifier.views.access import (
    MemberRequest,
    attempt,
    duty_required,
    leading_to_restricted,
)
from classifier.views.critical import critical_context
from classifier.views.review_data import (
    PLACEHOLDER,
    cells_data,
    thumbnail_parts,
    together_data,
    together_urls,
)
from classifier.views.review_steps import take_step


@duty_required("view_patient")
@require_GET
@gzip_page
@leading_to_restricted("case")
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
    cells = list_cells(case)
    context = _summary(request, case, cells) | {"is_fragment": True}
    return render(request, "classifier/partials/_review_summary.html", context)


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
def redo(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Do the step again that was undone last, by the plain form."""
    return _step(request, pk, corrections.redo_last, StepForm(request.POST))


@duty_required("review_case")
@require_POST
def comment(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Save the interpretation by the plain form."""
    return _step(request, pk, reviews.set_comment, CommentForm(request.POST), "Comment saved.")


@duty_required("review_case")
@require_POST
def platelet_clumps(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Mark or unmark platelet clumps."""
    case = intake.get_case(request.user, pk)
    attempt(
        request,
        reviews.set_platelet_clumps,
        case_id=case.pk,
        actor=request.user,
        has_clumps=request.POST.get("clumps") == "yes",
    )
    return redirect("classifier:review", case.pk)


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


@duty_required("amend_report")
@require_POST
def take_results(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take values of an analyser that came after signing into the open amendment."""
    case = intake.get_case(request.user, pk)
    form = LateResultsForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose which values to take.")
    else:
        attempt(
            request,
            late_results.take_results,
            success="The values count from now on.",
            case_id=case.pk,
            actor=request.user,
            result_ids=form.cleaned_data["results"],
        )
    return redirect("classifier:review", case.pk)


def _step(
    request: MemberRequest,
    pk: uuid.UUID,
    service: Callable[..., Any],
    form: StepForm | CommentForm,
    success: str = "",
) -> HttpResponse:
    return take_step(request, intake.get_case(request.user, pk), service, form, success)


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
    cells = list_cells(case)
    groups = gallery.group_cells(cells)
    context = _summary(request, case, cells)
    chosen = _chosen(request, groups)
    may_add = case.status == CaseStatus.SIGNED_OFF and policies.can_keep_reference_cells(
        request.user
    )
    library = cells_in_library(case) if may_add else set()
    return context | {
        "patient": case.patient,
        "groups": groups,
        "chosen": chosen,
        "class_keys": CLASS_KEYS,
        "thumbnail": thumbnail_parts(),
        "has_likeness": has_likeness(case),
        "palette": gallery.with_chances(chosen),
        "script_data": _script_data(
            case, cells, context["fields"], is_editable=context["is_editable"]
        )
        | together_data(case, cells, context["review"], library=library),
        "morphology": list_lines(case),
        "revision": reviews.revision_of(context["comment"]),
        "may_add_reference": may_add,
        "library": library,
    }


def _summary(request: MemberRequest, case: Case, cells: list[CellView]) -> dict[str, Any]:
    review = reviews.find_open_review(case)
    moves = lifecycle.available(case, request.user)
    is_editable = policies.can_edit_review(request.user, case)
    differential = count_cells(case, [cell.mark for cell in cells if not cell.fate])
    fields = summarise_fields(case, cells)
    history = read_history(review) if is_editable and review else None
    return {
        "case": case,
        "review": review,
        "moves": moves,
        "is_editable": is_editable,
        "differential": differential,
        "fields": fields,
        "reasons_for_more": reasons_for_more(differential, fields=len(fields.fields))
        if fields
        else (),
        "comment": _comment(case, review),
        "can_undo": bool(history and history.standing),
        "can_redo": bool(history and history.undone),
        "step_id": uuid.uuid4(),
    } | critical_context(request, case, came_from="review")


def _comment(case: Case, review: Review | None) -> str:
    """Return the interpretation that is being written, or the one last written."""
    if review:
        return review.comment
    last = case.reviews.order_by("-pk").first()
    return last.comment if last else ""


def _chosen(request: MemberRequest, groups: list[gallery.Group]) -> CellView | None:
    """Return the cell that the address names, else the first one of the gallery."""
    shown = [cell for group in groups for cell in group.cells]
    wanted = request.GET.get("cell")
    named = (cell for cell in shown if str(cell.id) == wanted)
    return next(named, shown[0] if shown else None)


def _script_data(
    case: Case, cells: list[CellView], fields: FieldsSummary | None, *, is_editable: bool
) -> dict[str, Any]:
    return {
        "case": str(case.pk),
        "editable": is_editable,
        "classes": [
            {"type": item.cell_type, "label": item.label, "short": item.short, "key": item.key}
            for item in CLASS_KEYS
        ],
        **cells_data(cells),
        "fields": [field.as_json() for field in fields.fields] if fields else [],
        "urls": _step_urls(case) | _cell_urls() | together_urls(case),
        "placeholder": str(PLACEHOLDER),
    }


def _step_urls(case: Case) -> dict[str, str]:
    return {
        "correct": reverse("classifier:review_corrections", args=[case.pk]),
        "accept": reverse("classifier:review_acceptances", args=[case.pk]),
        "acceptClass": reverse("classifier:review_class_acceptances", args=[case.pk]),
        "redo": reverse("classifier:review_redo_step", args=[case.pk]),
        "undo": reverse("classifier:review_undo_step", args=[case.pk]),
        "comment": reverse("classifier:review_comment_text", args=[case.pk]),
        "add": reverse("classifier:review_add", args=[case.pk]),
        "reshape": reverse("classifier:review_reshape", args=[case.pk]),
        "remove": reverse("classifier:review_remove", args=[case.pk]),
        "repeat": reverse("classifier:review_repeats", args=[case.pk]),
    }


def _cell_urls() -> dict[str, str]:
    """Return addresses that the script completes with a cell's, image's or field's id."""
    return {
        "image": reverse("classifier:image", args=[PLACEHOLDER]),
        "picture": reverse("classifier:cell_picture", args=[PLACEHOLDER]),
        "thumbnail": reverse("classifier:cell_thumbnail", args=[PLACEHOLDER]),
        "similar": reverse("classifier:alike_cells", args=[PLACEHOLDER]),
        "field": reverse("classifier:field_cells", args=[PLACEHOLDER]),
        "why": reverse("classifier:why", args=[PLACEHOLDER]),
    }
