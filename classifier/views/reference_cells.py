"""The reference library: its page, its pictures, and what pathologists do with a cell of it."""

import uuid
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from classifier import policies
from classifier.models import Case, Cell
from classifier.models.reference_cells import TEACHING_LIMIT
from classifier.selectors import reference_cells as selector
from classifier.services import reference_cells as service
from classifier.views.access import MemberRequest, attempt, duty_required
from classifier.views.images import private_file

PAGE_SIZE = 24


@login_required
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """Show the library, of one class or of all; retired cells to those who keep it."""
    classes = selector.count_classes(request.user)
    named = [item for item in classes if item.cell_type == request.GET.get("class")]
    may_keep = policies.can_keep_reference_cells(request.user)
    shows_retired = may_keep and request.GET.get("retired") == "1"
    chosen = named[0] if named else None
    wanted = chosen.cell_type if chosen else ""
    cells = selector.list_reference_cells(request.user, wanted, retired=shows_retired)
    query = {"class": wanted} | ({"retired": "1"} if shows_retired else {})
    context = {
        "classes": classes,
        "chosen": chosen,
        "total": sum(item.count for item in classes),
        "may_keep": may_keep,
        "shows_retired": shows_retired,
        "page": Paginator(cells, PAGE_SIZE).get_page(request.GET.get("page")),
        "query": urlencode(query),
        "own_source": selector.OWN_SOURCE,
        "teaching_limit": TEACHING_LIMIT,
    }
    return render(request, "classifier/reference_cells.html", context)


@login_required
@require_GET
def picture(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the lossless picture."""
    cell = selector.get_reference_cell(request.user, pk)
    return private_file(cell.file.open("rb"), "image/png")


@login_required
@require_GET
def thumbnail(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the small picture."""
    cell = selector.get_reference_cell(request.user, pk)
    return private_file(cell.thumbnail.open("rb"), "image/webp")


@duty_required("review_case")
@require_POST
def add(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a cell of a signed case into the library, and go back to it."""
    cells = Cell.objects.filter(image__case__in=Case.objects.visible_to(request.user))
    named = request.POST.get("cell", str(uuid.UUID(int=0)))
    cell = get_object_or_404(cells.filter(image__case=pk), pk=_as_uuid(named))
    attempt(
        request,
        service.add_cell_of_case,
        success="The cell is in the reference library, without the patient's name.",
        cell_id=cell.pk,
        actor=request.user,
        teaching=request.POST.get("teaching", ""),
    )
    return redirect(f"{reverse('classifier:review', args=[pk])}?{urlencode({'cell': cell.pk})}")


@duty_required("review_case")
@require_POST
def describe(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the teaching text."""
    cell = selector.get_reference_cell(request.user, pk)
    text = request.POST.get("teaching", "")
    attempt(
        request,
        service.describe,
        success="Teaching text saved.",
        reference_id=cell.pk,
        actor=request.user,
        teaching=text,
    )
    return _back(cell.cell_type)


@duty_required("review_case")
@require_POST
def retire(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a cell out of use."""
    cell = selector.get_reference_cell(request.user, pk)
    attempt(
        request,
        service.retire,
        success="The reference cell was retired.",
        reference_id=cell.pk,
        actor=request.user,
        reason=request.POST.get("reason", ""),
    )
    return _back(cell.cell_type)


def _back(cell_type: str) -> HttpResponse:
    return redirect(f"{reverse('classifier:reference_cells')}?{urlencode({'class': cell_type})}")


def _as_uuid(text: str) -> uuid.UUID:
    """The id in a form's field; one that belongs to nothing where it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
