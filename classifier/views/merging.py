"""Merging two records of one patient, and taking a merge back."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.audit import record_read
from classifier.exceptions import DomainError, NotPermitted
from classifier.identity_forms import MergeForm, UnmergeForm
from classifier.models import Patient
from classifier.selectors import merging as selector
from classifier.selectors.patients import find_patients, get_standing, searched_words
from classifier.services.merging import differences, merge_patients
from classifier.services.unmerging import unmerge_patients
from classifier.views.access import MemberRequest, duty_required

SHOWN = 20


@duty_required("merge_patients")
@duty_required("view_patient")
@require_GET
def duplicates(request: MemberRequest) -> HttpResponse:
    """List records that are likely of one person."""
    groups = selector.list_duplicates(request.user)
    return render(request, "classifier/patient_duplicates.html", {"groups": groups})


@duty_required("merge_patients")
@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def choose(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Choose the other record; what is searched for travels in the body."""
    patient = get_standing(request.user, pk)
    record_read(actor=request.user, patient=patient)
    text = " ".join(searched_words(request.POST.get("q", "")))
    found = find_patients(request.user, text).exclude(pk=patient.pk)[:SHOWN] if text else []
    context = {
        "patient": patient,
        "text": text,
        "found": found,
        "suggested": selector.suggest_duplicates(request.user, patient),
    }
    return render(request, "classifier/patient_merge_choose.html", context)


@duty_required("merge_patients")
@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def compare(request: MemberRequest, pk: uuid.UUID, other_pk: uuid.UUID) -> HttpResponse:
    """Show two records side by side, and merge them."""
    pair = [get_standing(request.user, key) for key in (pk, other_pk)]
    if pair[0] == pair[1]:
        if pk == other_pk:
            raise Http404
        messages.info(request, "These records are merged.")
        return redirect(pair[0])
    for one in pair:
        record_read(actor=request.user, patient=one)
    form = MergeForm(pair, request.POST if request.method == "POST" else None)
    if form.is_valid() and (survivor := _merge(request, form)):
        return redirect(survivor)
    differing = sorted(differences(*pair))
    context = {"pair": [_side(one) for one in pair], "form": form, "differing": differing}
    status = 422 if form.is_bound else 200
    return render(request, "classifier/patient_merge.html", context, status=status)


def _merge(request: MemberRequest, form: MergeForm) -> Patient | None:
    try:
        merge = merge_patients(actor=request.user, request=form.wanted())
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        return None
    messages.success(request, "The records are merged.")
    return merge.survivor


def _side(patient: Patient) -> dict[str, Any]:
    return {
        "patient": patient,
        "absorbed": list(patient.absorbed.all()),
        "cases": patient.cases.order_by("-registered_at"),
    }


@duty_required("merge_patients")
@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def undo(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a merge back; of each case that came since, ask where it goes."""
    merge = selector.get_merge(request.user, pk)
    for one in (merge.survivor, merge.merged):
        record_read(actor=request.user, patient=one)
    if merge.undone_at:
        messages.info(request, "This merge was taken back already.")
        return redirect(merge.merged)
    cases = selector.cases_since(merge)
    form = UnmergeForm(merge, cases, request.POST if request.method == "POST" else None)
    if form.is_valid() and _unmerge(request, form, pk):
        return redirect(merge.merged)
    context = {"merge": merge, "form": form, "returning": selector.cases_before(merge)}
    status = 422 if form.is_bound else 200
    return render(request, "classifier/patient_unmerge.html", context, status=status)


def _unmerge(request: MemberRequest, form: UnmergeForm, merge_id: uuid.UUID) -> bool:
    reason = form.cleaned_data["reason"]
    try:
        unmerge_patients(
            merge_id=merge_id, actor=request.user, reason=reason, goes_to=form.goes_to()
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, "The merge was taken back: there are two records again.")
    return True
