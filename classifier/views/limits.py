"""The laboratory's limits: what is in force, proposals, approval, retirement, the printed list."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classifier import policies
from classifier.exceptions import GuardFailed
from classifier.limit_forms import FORMS, RetireForm
from classifier.models import Laboratory
from classifier.selectors import limits as read
from classifier.services import limits as services
from classifier.views.access import MemberRequest, attempt, duty_required

INDEX = "classifier:limits"


@duty_required("view_worklist")
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List every limit by analyte: in force today, proposed, past."""
    context = {
        "sections": read.list_sections(request.user),
        "may_propose": policies.can_propose_limits(request.user),
    }
    return render(request, "classifier/limits.html", context)


@duty_required("view_worklist")
@require_GET
def printed(request: MemberRequest) -> HttpResponse:
    """Show what is in force today as a list for the director to sign."""
    context = {
        "sections": read.list_sections(request.user),
        "laboratory": Laboratory.current(),
        "today": timezone.localdate(),
    }
    return render(request, "classifier/limits_printed.html", context)


@duty_required("view_worklist")
@require_http_methods(["GET", "POST"])
def propose(request: MemberRequest, slug: str) -> HttpResponse:
    """Take the proposal of a version; `from` names the version whose figures it starts with."""
    kind = read.get_kind(slug)
    if not policies.can_propose_limits(request.user):
        raise PermissionDenied("You may not propose limits.")
    form = FORMS[slug](request.POST or None, initial=_start(request, kind))
    if request.method == "POST" and form.is_valid():
        try:
            limit = services.propose_limit(
                kind=kind.model, actor=request.user, values=form.cleaned_data
            )
        except GuardFailed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Proposed. It judges once somebody else has approved it.")
            return redirect("classifier:limit", slug, limit.pk)
    status = 422 if form.errors else 200
    return render(request, "classifier/limit_new.html", {"form": form, "kind": kind}, status=status)


@duty_required("view_worklist")
@require_GET
def show(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """Show all versions of a limit with who did what, and what the reader may do."""
    kind = read.get_kind(slug)
    limit = read.get_limit(kind, pk)
    context = {
        "kind": kind,
        "limit": limit,
        "label": read.label_of(limit),
        "versions": read.list_versions(request.user, kind, limit),
        "may_propose": policies.can_propose_limits(request.user),
    }
    return render(request, "classifier/limit.html", context)


@duty_required("approve_limits")
@require_POST
def approve(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """Approve a version in the person's name."""
    kind = read.get_kind(slug)
    limit = read.get_limit(kind, pk)
    attempt(
        request,
        services.approve_limit,
        success="Approved in your name.",
        kind=kind.model,
        limit_id=limit.pk,
        actor=request.user,
    )
    return redirect("classifier:limit", slug, pk)


@duty_required("view_worklist")
@require_POST
def retire(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """Retire a version, or withdraw a proposal, for a reason."""
    kind = read.get_kind(slug)
    limit = read.get_limit(kind, pk)
    form = RetireForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason.")
    else:
        attempt(
            request,
            services.retire_limit,
            success="Retired: it judges no more.",
            kind=kind.model,
            limit_id=limit.pk,
            actor=request.user,
            reason=form.cleaned_data["reason"],
        )
    return redirect("classifier:limit", slug, pk)


def _start(request: MemberRequest, kind: read.Kind) -> dict[str, object]:
    """Return the figures that a proposal starts with."""
    wanted = request.GET.get("from", "")
    base = kind.model.objects.filter(pk=wanted).first() if wanted.isdigit() else None
    start = model_to_dict(base) if base else {}
    return start | {"effective_from": timezone.localdate()}
