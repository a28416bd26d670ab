"""Finding, registering and reading patients."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.audit import record_read
from classifier import policies
from classifier.exceptions import DomainError, DuplicatePatient, NotPermitted
from classifier.forms import DuplicateForm, PatientForm
from classifier.models import Laboratory
from classifier.selectors.legal_holds import holding_of_patient
from classifier.selectors.merging import merges_of, suggest_duplicates
from classifier.selectors.patients import find_patients, get_standing
from classifier.selectors.restrictions import restriction_of
from classifier.services.patients import register_patient
from classifier.services.restrictions import match_number
from classifier.views.access import MemberRequest, duty_required, leading_to_restricted

PAGE_SIZE = 25


@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def index(request: MemberRequest) -> HttpResponse:
    """List patients, as typed in the search box.

    What is searched for travels in the body: names and numbers have no place in addresses.
    """
    text = request.POST.get("q", "").strip()
    pages = Paginator(find_patients(request.user, text), PAGE_SIZE)
    page = pages.get_page(request.POST.get("page"))
    may_register = policies.can_register_patient(request.user)
    context = {
        "page": page,
        "text": text,
        "closed": match_number(actor=request.user, text=text),
        "for_case": may_register and request.GET.get("for") == "case",
        "may_register": may_register,
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "partials/_patient_results.html" if is_fragment else "patients.html"
    return render(request, f"classifier/{template}", context)


@duty_required("register_patient")
@require_http_methods(["GET", "POST"])
def register(request: MemberRequest) -> HttpResponse:
    """Register a patient; people who look the same are shown first."""
    if request.method == "GET":
        form = PatientForm(initial={"mrn_issuer": Laboratory.current().mrn_issuer})
        return render(request, "classifier/patient_register.html", {"form": form})
    form = PatientForm(request.POST)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            patient = register_patient(
                actor=request.user,
                identity=form.identity(),
                duplicate_reason=request.POST.get("duplicate_reason", ""),
            )
        except NotPermitted as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except DuplicatePatient as refusal:
            context |= {"refusal": refusal, "duplicate_form": _duplicate_form(request)}
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Patient registered.")
            return redirect(patient)
    return render(request, "classifier/patient_register.html", context, status=422)


@duty_required("view_patient")
@require_GET
@leading_to_restricted("patient")
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a patient and their cases; the audit trail keeps that it was read.

    A record that was merged leads on to the one that stands for it.
    """
    patient = get_standing(request.user, pk)
    if patient.pk != pk:
        messages.info(request, "The record you asked for was merged into this one.")
        return redirect(patient)
    record_read(actor=request.user, patient=patient)
    may_merge = policies.can_merge_patients(request.user)
    context = {
        "patient": patient,
        "merges": merges_of(patient),
        "may_merge": may_merge,
        "suggested": suggest_duplicates(request.user, patient) if may_merge else [],
        "cases": patient.cases.select_related("specimen", "submitted_by", "signed_by"),
        "may_open_case": policies.can_register_patient(request.user),
        "may_protect": policies.can_protect_patients(request.user),
        "restriction": restriction_of(patient),
        "holding": holding_of_patient(request.user, patient),
    }
    return render(request, "classifier/patient_detail.html", context)


def _duplicate_form(request: MemberRequest) -> DuplicateForm:
    """Ask for a reason; call it missing only if it was asked for before."""
    return DuplicateForm(request.POST if "duplicate_reason" in request.POST else None)
