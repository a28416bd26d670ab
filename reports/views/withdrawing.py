"""Withdrawing a report: asking for it, and the other person's decision."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.audit import record_read
from accounts.single_sign_on.confirming import kept, without_password
from classifier import policies
from classifier.exceptions import DomainError, NotPermitted
from classifier.views.access import MemberRequest, duty_required
from reports import selectors
from reports.forms import DecisionForm, WithdrawalForm
from reports.models import WithdrawalRequest
from reports.services.reauthentication import reauthenticate
from reports.services.withdrawing import (
    Declaration,
    confirm_withdrawal,
    decline_withdrawal,
    request_withdrawal,
)

REFUSED = 422


@duty_required("amend_report")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def ask(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Declare a report entered in error, with a reason and the password."""
    report = selectors.get_report(request.user, pk)
    if not policies.can_ask_withdrawal(request.user, report.case):
        raise PermissionDenied("Whoever submitted a case doesn't withdraw its report.")
    entered = kept(request)
    initial = entered.dict() if entered else {"request_id": uuid.uuid4()}
    form = WithdrawalForm(request.POST or None, initial=initial)
    without_password(form, request)
    if form.is_valid():
        try:
            declaration = Declaration(
                form.cleaned_data["request_id"], report.pk, form.cleaned_data["reason"]
            )
            proof = reauthenticate(request, request.user, form.cleaned_data.get("password", ""))
            request_withdrawal(actor=request.user, declaration=declaration, reauthentication=proof)
        except NotPermitted as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "An administrator has to confirm the withdrawal.")
            return redirect(report)
    record_read(actor=request.user, patient=report.case.patient)
    context = {"report": report, "case": report.case, "form": form}
    status = REFUSED if form.is_bound else 200
    return render(request, "reports/withdraw.html", context, status=status)


@duty_required("manage_laboratory")
@require_GET
def requests(request: MemberRequest) -> HttpResponse:
    """List the withdrawals that were asked for, those to be decided first."""
    context = {"requests": selectors.list_withdrawals(request.user)}
    return render(request, "reports/withdrawals.html", context)


@duty_required("view_patient")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def decide(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Confirm a withdrawal with the password, or leave the report standing with a reason."""
    asked = selectors.get_withdrawal(request.user, pk)
    may_confirm = policies.can_confirm_withdrawal(request.user, asked.report.case)
    is_own = asked.requested_by_id == request.user.pk
    if not (may_confirm or is_own):
        raise PermissionDenied("An administrator decides about a withdrawal.")
    form = DecisionForm(request.POST or None)
    without_password(form, request)
    if form.is_valid() and _decide(request, asked, form):
        asked.report.case.refresh_from_db()
        return redirect("reports:case_report", asked.report.case_id)
    record_read(actor=request.user, patient=asked.report.case.patient)
    context = {
        "asked": asked,
        "report": asked.report,
        "case": asked.report.case,
        "form": form,
        "may_confirm": may_confirm and not is_own,
    }
    status = REFUSED if form.is_bound else 200
    return render(request, "reports/withdrawal.html", context, status=status)


def _decide(request: MemberRequest, asked: WithdrawalRequest, form: DecisionForm) -> bool:
    data = form.cleaned_data
    try:
        if data["decision"] == "confirm":
            proof = reauthenticate(request, request.user, data.get("password", ""))
            confirm_withdrawal(request_id=asked.pk, actor=request.user, reauthentication=proof)
            messages.success(request, "The report is withdrawn as entered in error.")
        else:
            decline_withdrawal(request_id=asked.pk, actor=request.user, reason=data["reason"])
            messages.success(request, "The report stands as it was signed.")
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        return False
    return True
