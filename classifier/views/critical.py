"""Critical results of a case: the banner, and the record of calls."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.audit import record_read
from classifier import policies
from classifier.critical_forms import CallForm
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import Case
from classifier.selectors import intake
from classifier.selectors.critical import get_state, list_alerts
from classifier.services.critical_calls import record_call
from classifier.views.access import MemberRequest, duty_required, leading_to_restricted

# Where the person came from, and goes back to.
RETURNS = {"review": "classifier:review", "case": "classifier:case_detail"}


@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
@leading_to_restricted("case")
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a case's critical results and all calls; record another one."""
    case = intake.get_case(request.user, pk)
    if request.method == "POST":
        return _record(request, case)
    record_read(actor=request.user, patient=case.patient)
    return _page(request, case, None, status=200)


@duty_required("view_patient")
@require_GET
def banner(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the banner as it now stands; empty if nothing is critical."""
    case = intake.get_case(request.user, pk)
    context = critical_context(request, case, came_from="review") | {"case": case}
    return render(request, "classifier/partials/_critical.html", context)


def critical_context(request: MemberRequest, case: Case, *, came_from: str) -> dict[str, Any]:
    """Return what the banner shows, with an empty form for who may record calls."""
    may_call = policies.can_record_callback(request.user)
    state = get_state(case)
    return {
        "critical": state,
        "call_form": CallForm.for_case(case, call_id=uuid.uuid4()) if state and may_call else None,
        "came_from": came_from,
    }


def _record(request: MemberRequest, case: Case) -> HttpResponse:
    form = CallForm(request.POST)
    if not form.is_valid():
        return _page(request, case, form, status=422)
    try:
        record_call(
            case_id=case.pk,
            actor=request.user,
            call_id=form.cleaned_data["call_id"],
            snapshot_sha256=form.cleaned_data["snapshot"],
            attempt=form.attempt(),
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        return _page(request, case, form, status=422)
    messages.success(request, "The call was recorded.")
    return redirect(RETURNS.get(request.POST.get("from", ""), "classifier:critical"), case.pk)


def _page(
    request: MemberRequest, case: Case, form: CallForm | None, *, status: int
) -> HttpResponse:
    context = critical_context(request, case, came_from="")
    if form is not None:
        context |= {"call_form": form, "came_from": request.POST.get("from", "")}
    context |= {"case": case, "patient": case.patient, "alerts": list_alerts(case), "on_page": True}
    return render(request, "classifier/critical.html", context, status=status)
