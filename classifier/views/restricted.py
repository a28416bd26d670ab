"""The door of a restricted record for those to whom it is closed."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classifier.models import Case, Laboratory, Patient
from classifier.restriction_forms import EmergencyForm
from classifier.selectors import restrictions as selector
from classifier.selectors.restrictions import ClosedRecord
from classifier.services import emergencies, restrictions
from classifier.views.access import MemberRequest, attempt, duty_required


@duty_required("view_patient")
@require_GET
@never_cache
def patient(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Say that a record is restricted, and how to open it in an emergency."""
    open_to = Patient.objects.visible_to(request.user).filter(pk=pk).first()
    if open_to:
        return redirect(open_to)
    return _page(request, selector.get_closed_patient(request.user, pk))


@duty_required("view_patient")
@require_GET
@never_cache
def case(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Say that a case is of a restricted record, and how to work on it or open it."""
    open_to = Case.objects.visible_to(request.user).filter(pk=pk).first()
    if open_to:
        return redirect(open_to)
    return _page(request, selector.get_closed_case(request.user, pk))


@duty_required("view_patient")
@require_POST
def take_up(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a case of a restricted record to work on it."""
    found = Case.objects.visible_to(request.user).filter(pk=pk).first()
    if found is None:
        found = selector.get_closed_case(request.user, pk).case
        attempt(request, restrictions.take_up, actor=request.user, case_id=pk)
    if found is None:
        raise Http404
    return redirect(found)


@duty_required("view_patient")
@require_POST
def break_glass(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Open a restricted record in an emergency."""
    open_to = Patient.objects.visible_to(request.user).filter(pk=pk).first()
    if open_to:
        return redirect(open_to)
    form = EmergencyForm(request.POST)
    closed = _closed(request, pk, form)
    if not form.is_valid():
        return _page(request, closed, form)
    is_open = attempt(
        request,
        emergencies.break_glass,
        actor=request.user,
        patient_id=pk,
        access_id=form.cleaned_data["access_id"],
        cause=form.cleaned_data["cause"],
        words=form.cleaned_data["words"],
    )
    if not is_open:
        return redirect("classifier:patient_restricted", pk)
    minutes = Laboratory.current().emergency_minutes
    messages.warning(
        request,
        f"The record is open to you for {minutes} minutes. Each look is recorded, and who answers "
        "for privacy was told.",
    )
    return redirect(closed.case or closed.patient)


def _closed(request: MemberRequest, pk: uuid.UUID, form: EmergencyForm) -> ClosedRecord:
    """Return the record, with the case from which the person came, if it is one of the patient."""
    form.is_valid()
    case_id = form.cleaned_data.get("case")
    if case_id:
        closed = selector.get_closed_case(request.user, case_id)
        if closed.patient.pk == pk:
            return closed
    return selector.get_closed_patient(request.user, pk)


def _page(
    request: MemberRequest, closed: ClosedRecord, form: EmergencyForm | None = None
) -> HttpResponse:
    came_from = {"case": closed.case.pk} if closed.case else {}
    context = {
        "closed": closed,
        "form": form or EmergencyForm(initial=came_from),
        "minutes": Laboratory.current().emergency_minutes,
        "restriction": selector.restriction_of(closed.patient),
    }
    status = 422 if form else 200
    return render(request, "classifier/restricted.html", context, status=status)
