"""Correcting a signed report: opening the case again with a reason."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.audit import record_read
from classifier import policies
from classifier.enums import CaseStatus
from classifier.exceptions import DomainError, NotPermitted
from classifier.selectors.analyser import list_late_results, list_results
from classifier.services.late_results import amend_with_results
from classifier.views.access import MemberRequest, duty_required
from reports import selectors
from reports.forms import AmendForm

REFUSED = 422


@duty_required("amend_report")
@require_http_methods(["GET", "POST"])
def amend(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the reason and which late results to take, then open the case for correction."""
    case = selectors.get_case(request.user, pk)
    if not policies.can_amend(request.user, case):
        raise PermissionDenied("Whoever submitted a case doesn't amend its report.")
    if case.status != CaseStatus.SIGNED_OFF:
        messages.error(request, "Only a signed report can be amended.")
        return redirect(case)
    late = list_late_results(list_results(case))
    form = AmendForm(request.POST if request.method == "POST" else None, late=late)
    if form.is_valid():
        try:
            amend_with_results(
                case_id=case.pk,
                actor=request.user,
                reason=form.cleaned_data["reason"],
                result_ids=form.cleaned_data["results"],
            )
        except NotPermitted as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, "The case is open for correction. Sign it to issue a new version."
            )
            return redirect("classifier:review", case.pk)
    record_read(actor=request.user, patient=case.patient)
    context = {"case": case, "form": form, "report": selectors.versions_of(case).first()}
    return render(request, "reports/amend.html", context, status=REFUSED if form.is_bound else 200)
