"""What is due of a kind of records, and the proposal to dispose of it."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from classifier.views.access import MemberRequest, attempt, duty_required
from retention.enums import OF_MESSAGES, OF_PICTURES, RecordType
from retention.forms import ProposeCasesForm, ProposeForm, ProposeMonthsForm
from retention.selectors.due import MOST_CASES, list_due
from retention.selectors.due_messages import MOST_MONTHS, list_due_months
from retention.services import disposals as services

KEEP = "manage_retention"
PROPOSED = "Proposed. Nothing is disposed of before somebody else approves it."


@duty_required(KEEP)
@require_http_methods(["GET", "POST"])
@never_cache
def due(request: MemberRequest, kind: str) -> HttpResponse:
    """Show what is due of a kind of records and what is held back; propose to dispose of it."""
    if kind in {each.value for each in OF_MESSAGES}:
        return _due_messages(request, RecordType(kind))
    if kind in {each.value for each in OF_PICTURES}:
        return _due_pictures(request, RecordType(kind))
    raise Http404


def _due_pictures(request: MemberRequest, kind: RecordType) -> HttpResponse:
    found = list_due(kind)
    ready = [each for each in found if not each.why_kept]
    offered = [(str(each.case.pk), each.case.accession_number) for each in ready]
    form = ProposeCasesForm(request.POST or None, offered=offered)
    if _proposes(request, kind, form, services.propose_disposal, "cases"):
        return redirect("retention:disposal", form.cleaned_data["disposal_id"])
    context = {
        "kind": kind,
        "ready": ready,
        "kept": [each for each in found if each.why_kept],
        "form": form,
        "is_cut": len(found) == MOST_CASES,
    }
    return _page(request, "retention/due.html", context)


def _due_messages(request: MemberRequest, kind: RecordType) -> HttpResponse:
    found = list_due_months(kind)
    ready = [each for each in found if each.ready]
    form = ProposeMonthsForm(request.POST or None, offered=[(each.key, each.key) for each in ready])
    if _proposes(request, kind, form, services.propose_messages, "months"):
        return redirect("retention:disposal", form.cleaned_data["disposal_id"])
    context = {
        "kind": kind,
        "ready": ready,
        "kept": [each for each in found if each.why_kept],
        "form": form,
        "is_cut": len(found) == MOST_MONTHS,
    }
    return _page(request, "retention/due_messages.html", context)


def _proposes(
    request: MemberRequest,
    kind: RecordType,
    form: ProposeForm,
    service: Callable[..., Any],
    chosen: str,
) -> bool:
    """Propose what was chosen; False if the page is to be shown, or shown again."""
    if request.method != "POST" or not form.is_valid():
        return False
    return attempt(
        request,
        service,
        success=PROPOSED,
        actor=request.user,
        kind=kind,
        disposal_id=form.cleaned_data["disposal_id"],
        **{chosen: form.cleaned_data[chosen]},
    )


def _page(request: MemberRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, context, status=422 if context["form"].errors else 200)
