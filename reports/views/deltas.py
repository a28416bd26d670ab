"""Dismissing a change that the delta check flagged."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from classifier.views.access import MemberRequest, attempt, duty_required
from reports import selectors
from reports.forms import DismissalForm
from reports.services.deltas import dismiss_delta


@duty_required("review_case")
@require_POST
def dismiss(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Dismiss a delta by the plain form."""
    case = selectors.get_case(request.user, pk)
    form = DismissalForm(request.POST)
    if form.is_valid():
        attempt(
            request,
            dismiss_delta,
            success="The delta is dismissed and won't be printed.",
            case_id=case.pk,
            actor=request.user,
            **form.cleaned_data,
        )
    else:
        messages.error(request, "Give a reason to dismiss the delta.")
    return redirect("classifier:review", case.pk)
