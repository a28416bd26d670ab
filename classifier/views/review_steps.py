"""Steps of the review by plain forms; where one would overwrite what was not seen, a page asks."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from classifier.enums import CellType
from classifier.exceptions import UnseenChange
from classifier.models import Case, Cell
from classifier.review_forms import CommentForm, StepForm
from classifier.selectors.cells import list_cells
from classifier.services.marking import Seen
from classifier.views.access import MemberRequest, attempt

_WISHES = {
    "accept_cells": "the class that the machine holds for likeliest",
    "undo_last": "to undo the last step",
    "redo_last": "to do the last step again",
}


def take_step(
    request: MemberRequest,
    case: Case,
    service: Callable[..., Any],
    form: StepForm | CommentForm,
    success: str = "",
) -> HttpResponse:
    """Take a step and show the review again; 409 and a question where it would overwrite."""
    if not form.is_valid():
        messages.error(request, "Choose a cell and a class.")
        return redirect("classifier:review", case.pk)
    said = dict(form.cleaned_data)
    known = said.pop("known", None)
    if known is not None:
        said["seen"] = _seen(case, known)
    call = {"case_id": case.pk, "actor": request.user, **said}
    try:
        attempt(request, service, success=success, passed_on=UnseenChange, **call)
    except UnseenChange as change:
        wish = _WISHES.get(service.__name__) or CellType(said["cell_type"]).label
        return _ask(request, case, change, str(wish))
    return redirect("classifier:review", case.pk)


def _seen(case: Case, known: int) -> Seen:
    """What a page showed that knew the case's corrections up to one: the same of every cell.

    A case's corrections are written under its lock, so that later ones have larger numbers.
    """
    cells = Cell.objects.filter(image__case=case).values_list("pk", flat=True)
    return dict.fromkeys(cells, known)


def _ask(request: MemberRequest, case: Case, change: UnseenChange, wish: str) -> HttpResponse:
    """Show the cells as they stand now, and the step again for whoever still wants it."""
    cells = list_cells(case, change.cell_ids)
    sent = {
        name: value
        for name, value in request.POST.items()
        if name not in {"csrfmiddlewaretoken", "known"}
    }
    context = {
        "case": case,
        "patient": case.patient,
        "refusal": str(change),
        "cells": cells,
        "wish": wish,
        "sent": sent | {"known": max(cell.revision for cell in cells)},
    }
    return render(request, "classifier/review_conflict.html", context, status=HTTPStatus.CONFLICT)
