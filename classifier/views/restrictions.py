"""Pages for those who protect records: restrictions, who is named, emergency access."""

import uuid

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit
from classifier.models import NamedPerson, Patient, Restriction
from classifier.restriction_forms import JudgeForm, LiftForm, NameForm, RestrictForm
from classifier.selectors import restrictions as selector
from classifier.services import emergencies, restrictions
from classifier.views.access import MemberRequest, attempt, duty_required

PAGE_SIZE = 50


@duty_required("protect_patients")
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List restrictions; whose records they are stands on each one's page."""
    page = Paginator(selector.list_restrictions(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "overdue": emergencies.overdue().count()}
    return render(request, "classifier/restrictions.html", context)


@duty_required("protect_patients")
@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
@never_cache
def restrict(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Restrict a record."""
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=pk)
    form = RestrictForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if attempt(
            request,
            restrictions.restrict_patient,
            success="The record is restricted from now on.",
            actor=request.user,
            patient_id=patient.pk,
            **values,
        ):
            return redirect("classifier:restriction", values["restriction_id"])
        return redirect(patient)
    status = 422 if form.errors else 200
    context = {"patient": patient, "form": form}
    return render(request, "classifier/restrict.html", context, status=status)


@duty_required("protect_patients")
@require_GET
@never_cache
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a restriction and who it lets in; that the identity was read is recorded."""
    return _restriction_page(request, pk)


@duty_required("protect_patients")
@require_POST
@never_cache
def name(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Put somebody on the access list."""
    form = NameForm(request.POST, actor=request.user)
    restriction = get_object_or_404(Restriction, pk=pk)
    if not form.is_valid():
        return _restriction_page(request, pk, name_form=form)
    attempt(
        request,
        restrictions.name_person,
        success="The access list was changed.",
        actor=request.user,
        restriction_id=pk,
        user=form.cleaned_data["person"],
        reason=form.cleaned_data["reason"],
    )
    return redirect(restriction)


@duty_required("protect_patients")
@require_POST
def end_naming(request: MemberRequest, pk: uuid.UUID, named_pk: int) -> HttpResponse:
    """Take somebody off the access list."""
    named = get_object_or_404(NamedPerson, pk=named_pk, restriction=pk)
    attempt(
        request,
        restrictions.end_naming,
        success="The access list was changed.",
        actor=request.user,
        restriction_id=pk,
        named_id=named.pk,
    )
    return redirect("classifier:restriction", pk)


@duty_required("protect_patients")
@require_POST
@never_cache
def lift(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Lift a restriction."""
    restriction = get_object_or_404(Restriction, pk=pk)
    form = LiftForm(request.POST, auto_id="lift_%s")
    if not form.is_valid():
        return _restriction_page(request, pk, lift_form=form)
    attempt(
        request,
        restrictions.lift_restriction,
        success="The restriction was lifted.",
        actor=request.user,
        restriction_id=pk,
        reason=form.cleaned_data["reason"],
    )
    return redirect(restriction)


@duty_required("protect_patients")
@require_GET
def emergency_list(request: MemberRequest) -> HttpResponse:
    """List emergency accesses, those that wait for a judgement first."""
    page = Paginator(selector.list_emergencies(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "overdue": set(emergencies.overdue().values_list("pk", flat=True))}
    return render(request, "classifier/emergencies.html", context)


@duty_required("protect_patients")
@require_http_methods(["GET", "POST"])
@never_cache
def emergency(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what was done under an emergency access; say whether it was justified."""
    access, looks = selector.get_emergency(pk)
    form = JudgeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        attempt(
            request,
            emergencies.judge,
            success="Your judgement was recorded.",
            actor=request.user,
            access_id=pk,
            **form.cleaned_data,
        )
        return redirect(access)
    with transaction.atomic():
        audit.record(
            actor=request.user,
            action="restricted_access.viewed",
            target=access,
            patient=access.patient_id,
        )
    context = {
        "access": access,
        "looks": looks,
        "form": form,
        "judgement": getattr(access, "judgement", None),
        "is_own": access.opened_by_id == request.user.pk,
        "restriction": Restriction.objects.filter(patient=access.patient_id).first(),
    }
    status = 422 if form.errors else 200
    return render(request, "classifier/emergency.html", context, status=status)


def _restriction_page(
    request: MemberRequest,
    pk: uuid.UUID,
    *,
    name_form: NameForm | None = None,
    lift_form: LiftForm | None = None,
) -> HttpResponse:
    page = selector.get_restriction(pk)
    with transaction.atomic():
        audit.record(
            actor=request.user,
            action="patient.restriction_viewed",
            target=page.restriction,
            patient=page.restriction.patient_id,
        )
    context = {
        "page": page,
        "restriction": page.restriction,
        "patient": page.restriction.patient,
        "name_form": name_form or NameForm(actor=request.user),
        "lift_form": lift_form or LiftForm(auto_id="lift_%s"),
    }
    status = 422 if name_form or lift_form else 200
    return render(request, "classifier/restriction.html", context, status=status)
