"""Why did it say so: one cell's explanations, as a page and as the review page's panel.

Whoever may see the case may ask, so a cell that he may not see is not found.
"""

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_read
from classifier.enums import QUICK_METHODS, CellType, ExplanationMethod
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import Case, Cell, Explanation
from classifier.selectors import why
from classifier.services import explanations
from classifier.views.access import MemberRequest, attempt
from classifier.views.images import private_file

ALL_QUICK = "quick"


@login_required
@require_GET
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what is known of why the machine gives a cell its class, or the class asked about."""
    cell = why.find_cell(request.user, pk)
    record_read(actor=request.user, patient=cell.image.case.patient)
    return _panel(request, cell, request.GET.get("class", ""), request.GET.get("method", ""))


@login_required
@require_POST
def ask(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask a worker for one method's map, or for both quick ones."""
    cell = why.find_cell(request.user, pk)
    cell_type, method = request.POST.get("class", ""), request.POST.get("method", "")
    methods = QUICK_METHODS if method == ALL_QUICK else (method,)
    if cell_type not in CellType.values or not set(methods) <= set(ExplanationMethod.values):
        raise Http404
    problem = ""
    try:
        explanations.request_explanations(
            cell_id=cell.pk, actor=request.user, methods=methods, cell_type=cell_type
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        problem = str(refusal)
    return _after(request, cell, cell_type, methods[0], problem)


@login_required
@require_POST
def cancel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop an explanation that waits or is being made."""
    explanation = _explanation(request, pk)
    attempt(
        request,
        explanations.cancel_explanation,
        explanation_id=explanation.pk,
        actor=request.user,
    )
    cell = why.find_cell(request.user, explanation.cell_id)
    return _after(request, cell, explanation.cell_type, explanation.method)


@login_required
@require_GET
def layer(request: MemberRequest, pk: uuid.UUID, name: str) -> FileResponse:
    """Return a transparent layer of a map, which never changes."""
    explanation = _explanation(request, pk)
    file = explanation.heat if name == "heat" else explanation.against
    if not file:
        raise Http404
    response = private_file(file.open("rb"), "image/webp")
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def _explanation(request: MemberRequest, pk: uuid.UUID) -> Explanation:
    visible = Case.objects.visible_to(request.user)
    return get_object_or_404(Explanation.objects.filter(cell__image__case__in=visible), pk=pk)


def _after(
    request: MemberRequest, cell: Cell, cell_type: str, method: str, problem: str = ""
) -> HttpResponse:
    """Show the panel as it now stands: at once, or after a redirect where scripts are off."""
    if request.htmx:
        return _panel(request, cell, cell_type, method, problem)
    if problem:
        messages.error(request, problem)
    query = urlencode({"class": cell_type, "method": method})
    return redirect(f"{reverse('classifier:why', args=[cell.pk])}?{query}")


def _panel(
    request: MemberRequest, cell: Cell, cell_type: str, method: str, problem: str = ""
) -> HttpResponse:
    template = "classifier/partials/_why.html" if request.htmx else "classifier/why.html"
    found = why.ask_why(request.user, cell, cell_type=cell_type, method=method)
    return render(request, template, {"why": found, "case": found.case, "problem": problem})
