"""Systems that send, and what was agreed with them."""

import uuid

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classifier.views.access import MemberRequest, attempt
from exchange import policies
from exchange.forms import AnalyteCodeForm, OrderCodeForm, SenderForm
from exchange.models import AnalyteCode, OrderCode, Sender
from exchange.services import codes as service
from exchange.services.senders import save_sender
from exchange.views.access import allowed_to

FORMS: dict[str, type[forms.ModelForm]] = {"order": OrderCodeForm, "analyte": AnalyteCodeForm}


@allowed_to(policies.can_manage_senders)
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List senders, and the codes that are understood."""
    return _show(request)


@allowed_to(policies.can_manage_senders)
@require_POST
def add_code(request: MemberRequest, kind: str) -> HttpResponse:
    """Add a code of a test or of an analyser."""
    form = _form_class(kind)(request.POST, prefix=kind)
    if not form.is_valid():
        return _show(request, bound={kind: form}, status=422)
    added = f"{form.instance.code} was proposed; another administrator has to approve it."
    attempt(request, service.add_code, success=added, actor=request.user, code=form.instance)
    return redirect("exchange:senders")


@allowed_to(policies.can_manage_senders)
@require_POST
def approve_code(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """Put a code in use that somebody else proposed."""
    model = _form_class(kind)._meta.model
    proposal = get_object_or_404(model, pk=pk)
    if proposal.added_by_id == request.user.pk:
        messages.error(request, "Another person approves what you proposed.")
        return redirect("exchange:senders")
    attempt(
        request,
        service.approve_code,
        success=f"{proposal.code} is in use.",
        actor=request.user,
        kind=model,
        code_id=pk,
    )
    return redirect("exchange:senders")


@allowed_to(policies.can_manage_senders)
@require_POST
def retire_code(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """Take a code out of use."""
    model = _form_class(kind)._meta.model
    attempt(
        request,
        service.retire_code,
        success="The code was retired.",
        actor=request.user,
        kind=model,
        code_id=pk,
    )
    return redirect("exchange:senders")


@allowed_to(policies.can_manage_senders)
@require_http_methods(["GET", "POST"])
def edit(request: MemberRequest, pk: uuid.UUID | None = None) -> HttpResponse:
    """Add a sender or change one."""
    sender = get_object_or_404(Sender, pk=pk) if pk else None
    form = SenderForm(request.POST or None, instance=sender)
    if request.method == "POST" and form.is_valid():
        named = f"{form.instance.name} was saved."
        attempt(request, save_sender, success=named, actor=request.user, sender=form.instance)
        return redirect("exchange:senders")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "sender": sender}
    return render(request, "exchange/sender.html", context, status=status)


def _form_class(kind: str) -> type[forms.ModelForm]:
    if kind not in FORMS:
        raise Http404
    return FORMS[kind]


def _show(
    request: MemberRequest, bound: dict[str, forms.ModelForm] | None = None, status: int = 200
) -> HttpResponse:
    unbound = {kind: form(prefix=kind) for kind, form in FORMS.items()}
    context = {
        "senders": Sender.objects.all(),
        "order_codes": OrderCode.objects.filter(retired_at=None).select_related("added_by"),
        "analyte_codes": AnalyteCode.objects.filter(retired_at=None).select_related(
            "sender", "added_by"
        ),
        "forms": unbound | (bound or {}),
    }
    return render(request, "exchange/senders.html", context, status=status)
