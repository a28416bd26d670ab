"""Training sets: their basis, who objects, which cells, and candidates made of them."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from classifier.exceptions import GuardFailed, NotPermitted
from classifier.views.access import MemberRequest, attempt, duty_required
from classifier.views.images import private_file
from learning import policies
from learning.enums import Method
from learning.forms import BasisForm, LeaveOutForm, ObjectionForm, TrainForm, TrainingSetForm
from learning.models import BasisOfUse, PatientObjection
from learning.selectors import training
from learning.services import consent, retraining, training_sets

READ = "view_worklist"
MANAGE = "manage_models"
REFUSED = 422


@duty_required(READ)
@require_http_methods(["GET", "POST"])
def index(request: MemberRequest) -> HttpResponse:
    """List the sets with the basis and objections; open a set."""
    if request.method == "GET":
        return _index(request)
    if not policies.can_manage_models(request.user):
        raise PermissionDenied
    form = TrainingSetForm(request.POST)
    if form.is_valid():
        try:
            opened = training_sets.open_training_set(actor=request.user, **form.cleaned_data)
        except GuardFailed as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(opened)
    return _index(request, form=form)


@duty_required(MANAGE)
@require_POST
def basis(request: MemberRequest) -> HttpResponse:
    """Propose a basis of use."""
    form = BasisForm(request.POST)
    if form.is_valid():
        try:
            consent.propose_basis(actor=request.user, **form.cleaned_data)
        except GuardFailed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Proposed. A pathologist has to approve it.")
            return redirect("learning:training")
    return _index(request, basis_form=form)


@duty_required(READ)
@require_POST
def basis_decide(request: MemberRequest, pk: int, decision: str) -> HttpResponse:
    """Approve, withdraw or end a basis of use."""
    found = get_object_or_404(BasisOfUse, pk=pk)
    steps = {"approve": consent.approve_basis, "end": consent.end_basis}
    if decision not in steps:
        raise Http404
    try:
        attempt(request, steps[decision], basis_id=found.pk, actor=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    return redirect("learning:training")


@duty_required(MANAGE)
@require_POST
def objection(request: MemberRequest) -> HttpResponse:
    """Record a patient's objection."""
    form = ObjectionForm(request.POST)
    if form.is_valid():
        try:
            consent.record_objection(actor=request.user, **form.cleaned_data)
        except GuardFailed as refusal:
            form.add_error("accession_number", str(refusal))
        else:
            messages.success(request, "Recorded. No set that is frozen from now on holds a cell "
                             "of this patient.")  # fmt: skip
            return redirect("learning:training")
    return _index(request, objection_form=form)


@duty_required(MANAGE)
@require_POST
def objection_end(request: MemberRequest, pk: int) -> HttpResponse:
    """Note that a patient took the objection back."""
    found = get_object_or_404(PatientObjection, pk=pk)
    attempt(request, consent.end_objection, objection_id=found.pk, actor=request.user)
    return redirect("learning:training")


@duty_required(READ)
@require_GET
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a set; where the page asks again, its candidates alone, or all once it was gathered."""
    page = training.get_training_set(request.user, pk)
    may_manage = policies.can_manage_models(request.user)
    context = {"page": page, "may_manage": may_manage}
    if request.htmx:
        if request.GET.get("state", page.training_set.state) != page.training_set.state:
            return HttpResponseClientRefresh()
        return render(request, "learning/partials/_retrainings.html", context)
    if may_manage:
        context["ways"] = training.list_ways(page.training_set)
    return render(request, "learning/training_set.html", context)


@duty_required(MANAGE)
@require_POST
def leave_out(request: MemberRequest, pk: int) -> HttpResponse:
    """Leave a cell out of a draft for a reason, or take it back."""
    cell = training.get_training_cell(request.user, pk)
    form = LeaveOutForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say in at most 250 characters why the cell is left out.")
    else:
        attempt(
            request,
            training_sets.leave_out,
            cell_id=cell.pk,
            reason=form.cleaned_data["reason"],
            actor=request.user,
        )
    return redirect("learning:training_set", cell.training_set_id)


@duty_required(READ)
@require_GET
def picture(request: MemberRequest, pk: int) -> FileResponse:
    """Return the picture of a cell of a set."""
    cell = training.get_training_cell(request.user, pk)
    return private_file(cell.file.open("rb"), "image/png", is_final=True)


@duty_required(MANAGE)
@require_POST
def freeze(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Close a draft for good."""
    training.get_training_set(request.user, pk)
    attempt(
        request,
        training_sets.freeze_training_set,
        success="Frozen: a candidate can be trained on it.",
        set_id=pk,
        actor=request.user,
    )
    return redirect("learning:training_set", pk)


@duty_required(MANAGE)
@require_POST
def train(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Have a candidate made of the version in use and the set."""
    training.get_training_set(request.user, pk)
    form = TrainForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say in which way the candidate is to be trained.")
    else:
        attempt(
            request,
            retraining.ask_retraining,
            success="A worker trains it, and compares it on every frozen set.",
            set_id=pk,
            method=Method(form.cleaned_data["method"]),
            actor=request.user,
        )
    return redirect("learning:training_set", pk)


@duty_required(MANAGE)
@require_POST
def train_stop(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Have a training end without a candidate."""
    asked = training.get_retraining(request.user, pk)
    attempt(
        request,
        retraining.stop_retraining,
        success="Stopped. Nothing came of it.",
        retraining_id=asked.pk,
        actor=request.user,
    )
    return redirect("learning:training_set", asked.training_set_id)


def _index(request: MemberRequest, **forms: Any) -> HttpResponse:
    """The page of training sets; with a form that was refused, 422."""
    context = {
        "index": training.list_training(request.user),
        "may_manage": policies.can_manage_models(request.user),
        "form": TrainingSetForm(),
        "basis_form": BasisForm(),
        "objection_form": ObjectionForm(),
        **forms,
    }
    return render(request, "learning/training.html", context, status=REFUSED if forms else 200)
