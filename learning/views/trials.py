"""Evaluations, comparisons, shadow trials and the rule: what is done with a candidate."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classifier.exceptions import GuardFailed
from classifier.views.access import MemberRequest, attempt, duty_required
from learning import policies
from learning.enums import SetState
from learning.forms import ReasonForm, RuleForm
from learning.models import AcceptanceRule, Comparison, LabelledSet, ShadowTrial
from learning.selectors import registry
from learning.selectors.shadow import get_shadow
from learning.services import comparisons, evaluations, rules, shadow

READ = "view_worklist"
MANAGE = "manage_models"
REFUSED = 422


@duty_required(MANAGE)
@require_POST
def evaluate(request: MemberRequest, pk: int) -> HttpResponse:
    """Have a version, and the one in use, read every frozen set."""
    version = registry.get_version(request.user, pk)
    active = registry.version_in_use()
    both = {each.pk: each for each in (version, active) if each}
    for labelled_set in LabelledSet.objects.filter(state=SetState.FROZEN):
        for each in both.values():
            attempt(
                request,
                evaluations.ask_evaluation,
                version_id=each.pk,
                set_id=labelled_set.pk,
                actor=request.user,
            )
    messages.success(request, "The workers read the sets when no case needs them.")
    return redirect("learning:model", pk)


@duty_required(MANAGE)
@require_POST
def compare(request: MemberRequest, pk: int) -> HttpResponse:
    """Judge a candidate against the version in use on a set."""
    version = registry.get_version(request.user, pk)
    try:
        set_id = uuid.UUID(request.POST.get("set", ""))
    except ValueError as error:
        raise Http404 from error
    get_object_or_404(LabelledSet, pk=set_id)
    try:
        made = comparisons.compare(version_id=version.pk, set_id=set_id, actor=request.user)
    except GuardFailed as refusal:
        messages.error(request, str(refusal))
        return redirect("learning:model", pk)
    return redirect("learning:comparison", made.pk)


@duty_required(READ)
@require_GET
def comparison(request: MemberRequest, pk: int) -> HttpResponse:
    """Show the table that says why a candidate passes or is refused."""
    found = get_object_or_404(
        Comparison.objects.select_related(
            "candidate", "incumbent", "rule", "made_by", "evaluation__labelled_set",
            "override__by",
        ),
        pk=pk,
    )  # fmt: skip
    context = {
        "comparison": found,
        "override": getattr(found, "override", None),
        "may_override": policies.can_override_refusals(request.user),
        "form": ReasonForm(),
    }
    return render(request, "learning/comparison.html", context)


@duty_required(READ)
@require_POST
def override(request: MemberRequest, pk: int) -> HttpResponse:
    """Let a refused candidate be promoted by somebody else, for a reason."""
    found = get_object_or_404(Comparison, pk=pk)
    form = ReasonForm(request.POST)
    attempt(
        request,
        comparisons.override_refusal,
        success="Overridden in your name. Somebody else has to promote it.",
        comparison_id=found.pk,
        reason=form.cleaned_data["reason"] if form.is_valid() else "",
        actor=request.user,
    )
    return redirect("learning:comparison", pk)


@duty_required(READ)
@require_GET
def shadow_page(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how a candidate in shadow agrees with the version in use and with signed cases."""
    trial = get_object_or_404(ShadowTrial.objects.select_related("version", "started_by"), pk=pk)
    context = {
        "page": get_shadow(request.user, trial),
        "may_manage": policies.can_manage_models(request.user),
    }
    return render(request, "learning/shadow.html", context)


@duty_required(MANAGE)
@require_POST
def shadow_start(request: MemberRequest, pk: int) -> HttpResponse:
    """Have a candidate read in shadow."""
    version = registry.get_version(request.user, pk)
    attempt(
        request,
        shadow.start_shadow,
        success="It reads after the version in use from now on; no case knows of it.",
        version_id=version.pk,
        actor=request.user,
    )
    return redirect("learning:model", pk)


@duty_required(MANAGE)
@require_POST
def shadow_end(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Have a candidate read no more."""
    trial = get_object_or_404(ShadowTrial, pk=pk)
    attempt(request, shadow.end_shadow, trial_id=trial.pk, actor=request.user)
    return redirect("learning:model", trial.version_id)


@duty_required(READ)
@require_http_methods(["GET", "POST"])
def rule(request: MemberRequest) -> HttpResponse:
    """Show the rule that judges and its versions; take a proposal."""
    may_propose = policies.can_manage_models(request.user)
    if request.method == "POST" and not may_propose:
        raise PermissionDenied("You may not propose the rule for accepting models.")
    form = RuleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, rules.propose_rule, actor=request.user,
                       success="Proposed. It judges once a pathologist approves it.",
                       **form.cleaned_data)  # fmt: skip
        if done:
            return redirect("learning:rule")
    versions = list(AcceptanceRule.objects.select_related("proposed_by", "approved_by"))
    context = {
        "rule": rules.rule_in_force(),
        "versions": [(each, policies.can_approve_rule(request.user, each)) for each in versions],
        "form": form,
        "may_propose": may_propose,
    }
    return render(request, "learning/rule.html", context, status=REFUSED if form.errors else 200)


@duty_required(READ)
@require_POST
def rule_decide(request: MemberRequest, pk: int, decision: str) -> HttpResponse:
    """Approve or withdraw a proposal."""
    found = get_object_or_404(AcceptanceRule, pk=pk)
    service = {"approve": rules.approve_rule, "withdraw": rules.withdraw_rule}.get(decision)
    if service is None:
        raise Http404
    attempt(request, service, rule_id=found.pk, actor=request.user)
    return redirect("learning:rule")
