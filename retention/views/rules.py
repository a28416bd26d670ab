"""The retention rules: what is in force, proposals, approval, retirement."""

from django.contrib import messages
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classifier.exceptions import GuardFailed
from classifier.views.access import MemberRequest, attempt, duty_required
from retention import policies
from retention.forms import ReasonForm, RuleForm
from retention.models import RetentionRule
from retention.selectors import rules as read
from retention.services import rules as services

READ = "view_worklist"
KEEP = "manage_retention"


@duty_required(READ)
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List kinds of records with their rules."""
    sections = read.list_sections(request.user)
    context = {
        "sections": sections,
        "none_ruled": not any(section.is_ruled for section in sections),
        "may_keep": policies.can_keep_records(request.user),
    }
    return render(request, "retention/rules.html", context)


@duty_required(KEEP)
@require_http_methods(["GET", "POST"])
def propose(request: MemberRequest) -> HttpResponse:
    """Take the proposal of a version; `from` names the version whose words it starts with."""
    form = RuleForm(request.POST or None, initial=_start(request))
    if request.method == "POST" and form.is_valid():
        try:
            rule = services.propose_rule(actor=request.user, values=form.cleaned_data)
        except GuardFailed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Proposed. It rules once somebody else has approved it.")
            return redirect(rule)
    status = 422 if form.errors else 200
    return render(request, "retention/rule_new.html", {"form": form}, status=status)


@duty_required(READ)
@require_GET
def show(request: MemberRequest, pk: int) -> HttpResponse:
    """Show all versions of a rule with who did what."""
    rule = read.get_rule(pk)
    context = {
        "rule": rule,
        "versions": read.list_versions(request.user, rule),
        "may_keep": policies.can_keep_records(request.user),
    }
    return render(request, "retention/rule.html", context)


@duty_required(READ)
@require_POST
def approve(request: MemberRequest, pk: int) -> HttpResponse:
    """Approve a version in the person's name."""
    rule = read.get_rule(pk)
    attempt(
        request,
        services.approve_rule,
        success="Approved in your name.",
        actor=request.user,
        rule_id=pk,
    )
    return redirect(rule)


@duty_required(KEEP)
@require_POST
def retire(request: MemberRequest, pk: int) -> HttpResponse:
    """Retire a version, or withdraw a proposal, for a reason."""
    rule = read.get_rule(pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason.")
    else:
        attempt(
            request,
            services.retire_rule,
            success="Retired: it rules no more.",
            actor=request.user,
            rule_id=pk,
            reason=form.cleaned_data["reason"],
        )
    return redirect(rule)


def _start(request: MemberRequest) -> dict[str, object]:
    """Return the words of the version that a proposal starts with, if one is named."""
    wanted = request.GET.get("from", "")
    base = RetentionRule.objects.filter(pk=wanted).first() if wanted.isdigit() else None
    start = model_to_dict(base) if base else {"unit": ""}
    return start | {"effective_from": timezone.localdate()}
