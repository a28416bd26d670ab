"""The laboratory's page of morphology features: versions, proposals, approval, retirement."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from classifier import policies
from classifier.exceptions import GuardFailed
from classifier.forms import ReasonForm
from classifier.models import MorphologyFeature
from classifier.morphology_forms import ApprovalForm, NewFeatureForm, ProposalForm
from classifier.selectors.morphology_features import list_features, list_versions
from classifier.services import morphology_features as services
from classifier.views.access import MemberRequest, attempt, duty_required

PAGE = "classifier:morphology_features"


@duty_required("view_patient")
def index(request: MemberRequest) -> HttpResponse:
    """Show every feature with its version in force and what waits for approval."""
    context = {
        "lines": list_features(),
        "may_propose": policies.can_propose_limits(request.user),
        "may_approve": policies.can_approve_limits(request.user),
    }
    return render(request, "classifier/morphology_features.html", context)


@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def feature(request: MemberRequest, code: str) -> HttpResponse:
    """Show all versions of a feature; take the proposal of a further one."""
    versions = list_versions(code)
    if not versions:
        raise Http404
    latest = versions[0].feature
    start = forms.model_to_dict(latest) | {"effective_from": timezone.localdate()}
    form = ProposalForm(request.POST or None, initial=start)
    context = {"feature": latest, "versions": versions}
    return _propose(request, form, context, code=code)


@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Take the proposal of a feature that the laboratory didn't have."""
    start: dict[str, date] = {"effective_from": timezone.localdate()}
    return _propose(request, NewFeatureForm(request.POST or None, initial=start), {})


@duty_required("approve_limits")
@require_POST
def approve(request: MemberRequest) -> HttpResponse:
    """Approve the versions that were ticked, in the name of whoever is signed in."""
    form = ApprovalForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Tick the features to approve.")
        return redirect(PAGE)
    chosen = form.cleaned_data["feature"]
    noun = "1 version" if len(chosen) == 1 else f"{len(chosen)} versions"
    attempt(
        request,
        services.approve_features,
        success=f"{noun} approved in your name.",
        actor=request.user,
        feature_ids=[item.pk for item in chosen],
    )
    return redirect(PAGE)


@duty_required("approve_limits")
@require_POST
def retire(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a version out of use."""
    version = MorphologyFeature.objects.filter(pk=pk).first()
    if version is None:
        raise Http404
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason.")
    else:
        attempt(
            request,
            services.retire_feature,
            success=f"{version} is retired.",
            actor=request.user,
            feature_id=pk,
            reason=form.cleaned_data["reason"],
        )
    return redirect("classifier:morphology_feature", version.code)


def _propose(
    request: MemberRequest, form: ProposalForm, context: dict[str, Any], *, code: str = ""
) -> HttpResponse:
    may_propose = policies.can_propose_limits(request.user)
    if request.method == "POST" and not may_propose:
        raise PermissionDenied
    if request.method == "POST" and form.is_valid():
        code = code or getattr(form, "code", "")
        try:
            added = services.propose_feature(
                actor=request.user, code=code, values=form.cleaned_data
            )
        except GuardFailed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{added} is proposed; it holds once it is approved.")
            return redirect("classifier:morphology_feature", added.code)
    context |= {
        "form": form,
        "may_propose": may_propose,
        "may_approve": policies.can_approve_limits(request.user),
    }
    status = 422 if form.errors else 200
    return render(request, "classifier/morphology_feature.html", context, status=status)
