"""Controls: the list, what is expected of each, the rules."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.exceptions import DomainError, NotPermitted
from classifier.views.access import MemberRequest, View, attempt, duty_required
from quality import policies
from quality.analytes import analytes_of
from quality.forms import ControlMaterialForm, EstablishForm, ReleaseForm, RulesForm, TargetForm
from quality.models import ControlMaterial, ControlRun, ControlTarget
from quality.selectors import controls as selectors
from quality.services import controls as services

READ = "view_worklist"
REFUSED = 422


@require_safe
@duty_required(READ)
def page(request: MemberRequest) -> HttpResponse:
    """List the controls, whether the classifier may read, and when the next control is due."""
    model = selectors.model_in_use()
    context = {
        "model": model,
        "stops": selectors.open_stops(),
        "due": selectors.next_due(model) if model else None,
        "rules": selectors.rules_in_force(),
        "last_good": selectors.last_good_run(model) if model else None,
        "materials": selectors.list_materials(),
        "runs": ControlRun.objects.select_related("material", "model_version", "started_by")[:12],
        "proposals": ControlTarget.objects.filter(
            approved_at=None, withdrawn_at=None
        ).select_related("material", "proposed_by"),
        "may_run": policies.can_run_controls(request.user),
        "may_prepare": policies.can_prepare_controls(request.user),
    }
    return render(request, "quality/controls.html", context)


def _prepares(view: Callable[..., HttpResponse]) -> View:
    """Let in whoever prepares controls."""

    @duty_required(READ)
    def guarded(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not policies.can_prepare_controls(request.user):
            raise PermissionDenied("You may not prepare controls.")
        return view(request, *args, **kwargs)

    return guarded


@require_http_methods(["GET", "POST"])
@_prepares
def new(request: MemberRequest) -> HttpResponse:
    """Ask for a control, and keep it."""
    form = ControlMaterialForm(request.POST or None)
    if form.is_valid():
        try:
            material = services.add_material(actor=request.user, **form.cleaned_data)
        except DomainError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{material} is kept. Say next what is expected of it.")
            return redirect("quality:control_target", material.pk)
    return _asked(request, "quality/control_new.html", form, {})


@require_http_methods(["GET", "POST"])
@_prepares
def rules(request: MemberRequest) -> HttpResponse:
    """Ask which rules reject and how often a control is due, and set it."""
    now = selectors.rules_in_force()
    initial = {
        "rules": now.rejecting, "due_hours": now.due_hours, "missing_stops": now.missing_stops
    }  # fmt: skip
    form = RulesForm(request.POST or None, initial=initial)
    if form.is_valid() and _did(form, services.set_rules, actor=request.user, **form.cleaned_data):
        messages.success(request, "Controls are judged by these rules from now on.")
        return redirect("quality:controls")
    return _asked(request, "quality/control_rules.html", form, {})


@require_http_methods(["GET", "POST"])
@_prepares
def target(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask what is expected of a control, by hand or as its runs give it, and propose it."""
    material = get_object_or_404(ControlMaterial, pk=pk)
    model = selectors.model_in_use()
    if model is None:
        raise Http404
    established = selectors.established_from(material, model)
    by_runs = request.POST.get("basis") == "runs"
    posted = request.POST or None
    enter = TargetForm(
        None if by_runs else posted, analytes=analytes_of(model.class_names), prefix="enter"
    )
    runs = EstablishForm(posted if by_runs else None, established=established, prefix="runs")
    form = runs if by_runs else enter
    if form.is_valid() and _proposed(request, pk, form):
        messages.success(request, "Proposed. It judges once somebody else approves it.")
        return redirect(material)
    context = {
        "material": material, "enter": enter, "runs": runs, "established": established,
        "least": services.LEAST_RUNS, "model": model,
    }  # fmt: skip
    return _asked(request, "quality/control_target.html", form, context)


@require_http_methods(["GET", "POST"])
@_prepares
def retire(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask why a control goes out of use, and retire it."""
    material = get_object_or_404(ControlMaterial, pk=pk)
    form = ReleaseForm(request.POST or None)
    form.fields["reason"].help_text = "Such as: used up; faded; expired."
    given = {"actor": request.user, "material_id": pk}
    if form.is_valid() and _did(form, services.retire_material, **given, **form.cleaned_data):
        messages.success(request, f"{material} is retired. Its charts stay.")
        return redirect("quality:controls")
    return _asked(request, "quality/control_retire.html", form, {"material": material})


STEPS: dict[str, tuple[Callable[..., ControlTarget], str]] = {
    "approve": (services.approve_target, "Runs are judged by it from now on."),
    "withdraw": (services.withdraw_target, "The proposal is withdrawn."),
}


@require_POST
@duty_required(READ)
def settle(request: MemberRequest, pk: int, step: str) -> HttpResponse:
    """Approve or withdraw a proposed target."""
    target = get_object_or_404(ControlTarget, pk=pk)
    if step not in STEPS:
        raise Http404
    service, success = STEPS[step]
    attempt(request, service, success=success, actor=request.user, target_id=pk)
    return redirect(target.material)


def _proposed(request: MemberRequest, pk: int, form: TargetForm | EstablishForm) -> bool:
    given = {
        "actor": request.user, "material_id": pk, "reason": form.cleaned_data["reason"]
    }  # fmt: skip
    if isinstance(form, TargetForm):
        return _did(form, services.propose_values, **given, values=form.values())
    chosen = form.cleaned_data["analytes"]
    return _did(form, services.propose_established, **given, analytes=chosen)


def _did(form: Any, service: Callable[..., Any], **arguments: Any) -> bool:
    """Call a service; a refusal stands in the form."""
    try:
        service(**arguments)
    except NotPermitted as refused:
        raise PermissionDenied(str(refused)) from refused
    except DomainError as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _asked(
    request: MemberRequest, template: str, form: Any, context: dict[str, Any]
) -> HttpResponse:
    status = REFUSED if form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)
