"""Pages of legal holds: the list, one hold, putting one on a patient or a case, lifting it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.audit import record_read
from classifier.legal_hold_forms import HoldForm, LiftHoldForm
from classifier.models import Case, LegalHold, Patient
from classifier.selectors import legal_holds as selector
from classifier.selectors.patients import get_standing
from classifier.services import legal_holds as services
from classifier.views.access import MemberRequest, attempt, duty_required

PAGE_SIZE = 50


@duty_required("manage_retention")
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List holds; whose records they are on stands on each one's page."""
    page = Paginator(selector.list_holds(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "classifier/legal_holds.html", {"page": page})


@duty_required("manage_retention")
@require_GET
@never_cache
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a hold with its history."""
    return _page(request, pk, LiftHoldForm())


@duty_required("manage_retention")
@require_POST
@never_cache
def lift(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Lift a hold that somebody else put."""
    hold = get_object_or_404(LegalHold, pk=pk)
    form = LiftHoldForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form)
    attempt(
        request,
        services.lift_hold,
        success="The hold was lifted.",
        actor=request.user,
        hold_id=pk,
        reason=form.cleaned_data["reason"],
    )
    return redirect(hold)


@duty_required("manage_retention")
@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
@never_cache
def hold_patient(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a hold on a patient's whole record."""
    patient = get_standing(request.user, pk)
    return _hold(request, patient, patient, services.hold_patient, patient_id=patient.pk)


@duty_required("manage_retention")
@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
@never_cache
def hold_case(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a hold on one case."""
    cases = Case.objects.visible_to(request.user).select_related("patient")
    case = get_object_or_404(cases, pk=pk)
    return _hold(request, case, case.patient, services.hold_case, case_id=case.pk)


def _hold(
    request: MemberRequest,
    held: Patient | Case,
    patient: Patient,
    service: Callable[..., LegalHold],
    **what: Any,
) -> HttpResponse:
    form = HoldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = services.HoldRequest(**form.cleaned_data)
        if attempt(
            request,
            service,
            success="The hold is in force from now on.",
            actor=request.user,
            wanted=wanted,
            **what,
        ):
            return redirect("classifier:legal_hold", wanted.hold_id)
        return redirect(held)
    record_read(actor=request.user, patient=patient)
    context: dict[str, Any] = {"held": held, "patient": patient, "form": form}
    context["case"] = held if isinstance(held, Case) else None
    status = 422 if form.errors else 200
    return render(request, "classifier/legal_hold_new.html", context, status=status)


def _page(request: MemberRequest, pk: uuid.UUID, form: LiftHoldForm) -> HttpResponse:
    page = selector.get_hold(request.user, pk)
    if page.patient:
        record_read(actor=request.user, patient=page.patient)
    context = {
        "page": page,
        "hold": page.hold,
        "form": form,
        "is_own": page.hold.put_by_id == request.user.pk,
    }
    status = 422 if form.errors else 200
    return render(request, "classifier/legal_hold.html", context, status=status)
