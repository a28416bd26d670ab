"""Keeping reader checks: the known cells, the rules, dealing and withdrawing."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.models import User
from classifier.exceptions import DomainError
from classifier.models import ReferenceStudy
from classifier.views.access import MemberRequest, attempt, duty_required
from classifier.views.images import private_file
from learning.models import LabelledSet
from quality.exceptions import CheckRefused
from quality.forms import CheckRulesForm, TakeForm, WhyForm
from quality.models import ReaderCheck
from quality.selectors.known_cells import count_by_class, list_sources, usable_cells
from quality.selectors.reader_checks import rules_in_force
from quality.services import known_cells, reader_checks

KEEPS = "manage_laboratory"
PAGE_SIZE = 60
UNREADABLE = "A picture could not be read; nothing was taken."


@require_safe
@duty_required(KEEPS)
def page(request: MemberRequest) -> HttpResponse:
    """Show what known cells there are, and what further ones may be taken from."""
    wanted = request.GET.get("class", "")
    by_class = count_by_class()
    cells = usable_cells().filter(cell_type=wanted).order_by("added_at", "pk")
    context = {
        "sources": list_sources(request.user),
        "by_class": by_class,
        "total": sum(count for _, count in by_class),
        "wanted": wanted,
        "page": Paginator(cells, PAGE_SIZE).get_page(request.GET.get("page")),
        "query": urlencode({"class": wanted}),
    }
    return render(request, "quality/known_cells.html", context)


@require_POST
@duty_required(KEEPS)
def take(request: MemberRequest) -> HttpResponse:
    """Keep the agreed cells of a reference count or a labelled set."""
    form = TakeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a reference count or a labelled set.")
        return redirect("quality:known_cells")
    key = form.cleaned_data["key"]
    try:
        if form.cleaned_data["kind"] == "count":
            taken = known_cells.take_count(actor=request.user, study_id=key)
        else:
            taken = known_cells.take_set(actor=request.user, set_id=key)
    except (ReferenceStudy.DoesNotExist, LabelledSet.DoesNotExist) as missing:
        raise Http404 from missing
    except (DomainError, OSError) as refusal:
        messages.error(request, str(refusal) if isinstance(refusal, DomainError) else UNREADABLE)
    else:
        messages.success(request, f"Known cells taken: {taken}.")
    return redirect("quality:known_cells")


@require_POST
@duty_required(KEEPS)
def retire(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Use a known cell no more."""
    known = get_object_or_404(usable_cells(), pk=pk)
    form = WhyForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    attempt(
        request, known_cells.retire_cell, success="The cell is used no more.",
        actor=request.user, known_id=known.pk, reason=reason,
    )  # fmt: skip
    return redirect("quality:known_cells")


@require_GET
@duty_required(KEEPS)
def picture(_request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the picture of a known cell to who keeps them."""
    known = get_object_or_404(usable_cells(), pk=pk)
    try:
        return private_file(known.picture.open("rb"), "image/webp")
    except OSError as error:
        raise Http404 from error


@require_http_methods(["GET", "POST"])
@duty_required(KEEPS)
def rules(request: MemberRequest) -> HttpResponse:
    """Ask for the rules for checks, and set them."""
    before: dict[str, Any] = rules_in_force().as_facts()
    form = CheckRulesForm(request.POST or None, initial=before)
    if request.method == "POST" and form.is_valid():
        try:
            reader_checks.set_rules(
                actor=request.user, rules=form.rules(), reason=form.cleaned_data["reason"]
            )
        except CheckRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The rules for reader checks are set.")
            return redirect("quality:checks")
    status = 422 if form.errors else 200
    return render(request, "quality/check_rules.html", {"form": form}, status=status)


@require_POST
@duty_required(KEEPS)
def deal(request: MemberRequest, pk: int) -> HttpResponse:
    """Deal a reader a check now."""
    reader = get_object_or_404(User.objects.all().holding("review_case"), pk=pk)
    attempt(
        request, reader_checks.deal, success=f"{reader.full_name} has a check to complete.",
        actor=request.user, reader_id=reader.pk,
    )  # fmt: skip
    return redirect("quality:checks")


@require_POST
@duty_required(KEEPS)
def withdraw(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take back a check that nobody completed."""
    found = get_object_or_404(ReaderCheck, pk=pk)
    form = WhyForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    attempt(
        request, reader_checks.withdraw, success="The check is withdrawn.", check_id=found.pk,
        actor=request.user, reason=reason,
    )  # fmt: skip
    return redirect("quality:checks")
