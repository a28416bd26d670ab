"""Disposals: approval, withdrawal, how far the work is, the list as a file."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record
from accounts.trail_files import csv_lines
from classifier.views.access import MemberRequest, attempt, duty_required
from retention.enums import DISPOSABLE
from retention.forms import ReasonForm
from retention.selectors import disposals as read
from retention.services import disposals as services

KEEP = "manage_retention"
PAGE_SIZE = 50


@duty_required(KEEP)
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List disposals, and lead to what is due."""
    page = Paginator(read.list_disposals(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "retention/disposals.html", {"page": page, "kinds": DISPOSABLE})


@duty_required(KEEP)
@require_GET
@never_cache
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a disposal: what it is of, who did what, how far it is, what was held back and why."""
    return render(request, "retention/disposal.html", {"page": read.get_disposal(request.user, pk)})


@duty_required(KEEP)
@require_POST
def approve(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Approve a proposal in the person's name."""
    page = read.get_disposal(request.user, pk)
    attempt(
        request,
        services.approve_disposal,
        success="Approved in your name. It is carried out now.",
        actor=request.user,
        disposal_id=pk,
    )
    return redirect(page.disposal)


@duty_required(KEEP)
@require_POST
def withdraw(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Withdraw a proposal for a reason."""
    page = read.get_disposal(request.user, pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason.")
    else:
        attempt(
            request,
            services.withdraw_disposal,
            success="Withdrawn. Nothing was disposed of.",
            actor=request.user,
            disposal_id=pk,
            reason=form.cleaned_data["reason"],
        )
    return redirect(page.disposal)


@duty_required(KEEP)
@require_GET
@never_cache
def export(request: MemberRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """Give every image, slide or message of a disposal as CSV; that it was taken is recorded."""
    page = read.get_disposal(request.user, pk)
    with transaction.atomic():
        record(actor=request.user, action="disposal.exported", target=page.disposal)
    return StreamingHttpResponse(
        csv_lines(read.rows_of(page.disposal), read.columns_of(page.disposal)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="disposal-{pk}.csv"'},
    )
