"""Messages that came in: the list, one of them, and what a person does with one that waits."""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from classifier.exceptions import NotPermitted
from classifier.models import Case, Patient
from classifier.views.access import MemberRequest, attempt
from exchange import policies
from exchange.enums import IncomingOutcome, SenderKind
from exchange.forms import AgainForm, MatchForm, MergeForm, ReasonForm
from exchange.models import IncomingMessage
from exchange.selectors import incoming as selector
from exchange.services import settling
from exchange.services.merges import carry_out_merge, proposal_in
from exchange.services.specimens import match_to_case, pending_specimens
from exchange.views.access import allowed_to

PAGE_SIZE = 50
OUTCOMES = (("", "All"), ("waiting", "Waiting"), *IncomingOutcome.choices[:2])


@allowed_to(policies.can_read_incoming)
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List messages by what became of them."""
    wanted = selector.Filter.read(request.GET.get("outcome", ""), request.GET.get("kind", ""))
    messages = selector.list_incoming(request.user, wanted)
    query = {"outcome": wanted.outcome, "kind": wanted.kind}
    context = {
        "page": Paginator(messages, PAGE_SIZE).get_page(request.GET.get("page")),
        "wanted": wanted,
        "outcomes": OUTCOMES,
        "kinds": SenderKind.choices,
        "waiting": selector.count_waiting(request.user),
        "query": urlencode({name: value for name, value in query.items() if value}),
        "may_manage": policies.can_manage_senders(request.user),
    }
    return render(request, "exchange/incoming.html", context)


@allowed_to(policies.can_read_incoming)
@require_GET
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one message; what may name somebody is hidden."""
    return _show(request, _message(request, pk))


@allowed_to(policies.can_read_incoming)
@require_POST
def reveal(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one message whole; that is recorded."""
    message = _message(request, pk)
    try:
        with transaction.atomic():
            selector.record_reading(message, request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    return _show(request, message, with_identities=True)


@allowed_to(policies.can_settle)
@require_POST
def match(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Bring results to the case that a person names."""

    def settle(message: IncomingMessage, values: dict[str, Any]) -> dict[str, Any]:
        visible = Case.objects.visible_to(request.user)
        case = get_object_or_404(visible, pk=values["accession_number"].pk)
        position = values["specimen"] or None
        return {"case": case, "reason": values["reason"], "position": position}

    return _settle(request, pk, "match", match_to_case, settle)


@allowed_to(policies.can_settle)
@require_POST
def merge(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Merge two records as another system proposes."""
    message = _message(request, pk)
    form = MergeForm(request.POST, prefix="merge", patients=_patients(message))
    if not form.is_valid():
        return _show(request, message, bound={"merge": form}, status=422)
    attempt(
        request,
        carry_out_merge,
        success="The records are merged.",
        message_id=message.pk,
        actor=request.user,
        reason=form.cleaned_data["reason"],
        named=form.named(),
    )
    return redirect(message)


@allowed_to(policies.can_settle)
@require_POST
def again(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Process a message again."""
    return _settle(request, pk, "again", settling.process_again, lambda _message, values: values)


@allowed_to(policies.can_settle)
@require_POST
def dismiss(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Set a message aside."""
    return _settle(request, pk, "dismiss", settling.dismiss, lambda _message, values: values)


Arguments = Callable[[IncomingMessage, dict[str, Any]], dict[str, Any]]
FORMS: dict[str, type[forms.Form]] = {"match": MatchForm, "again": AgainForm, "dismiss": ReasonForm}
DONE = {
    "match": "The results are with the case.",
    "again": "The message was processed.",
    "dismiss": "The message was dismissed.",
}


def _settle(
    request: MemberRequest,
    pk: uuid.UUID,
    name: str,
    service: Callable[..., Any],
    arguments: Arguments,
) -> HttpResponse:
    message = _message(request, pk)
    form = _form(name, message, request.POST)
    if not form.is_valid():
        return _show(request, message, bound={name: form}, status=422)
    values = arguments(message, form.cleaned_data)
    attempt(
        request,
        service,
        success=DONE[name],
        message_id=message.pk,
        actor=request.user,
        **values,
    )
    return redirect(message)


def _patients(message: IncomingMessage) -> list[Patient]:
    proposal = proposal_in(message)
    return proposal.patients if proposal and proposal.is_open else []


def _offered(message: IncomingMessage) -> list[str]:
    """Return what can be done with a waiting message."""
    if message.is_merge:
        return ["merge", "dismiss"]
    is_analyser = message.sender is not None and message.sender.kind == SenderKind.ANALYSER
    return ["match" if is_analyser else "again", "dismiss"]


def _form(name: str, message: IncomingMessage, data: QueryDict | None = None) -> forms.Form:
    if name == "match":
        return MatchForm(data, prefix=name, pending=pending_specimens(message))
    if name == "merge":
        return MergeForm(data, prefix=name, patients=_patients(message))
    return FORMS[name](data, prefix=name)


def _message(request: MemberRequest, pk: uuid.UUID) -> IncomingMessage:
    visible = IncomingMessage.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("sender", "settlement__settled_by"), pk=pk)


def _show(
    request: MemberRequest,
    message: IncomingMessage,
    *,
    with_identities: bool = False,
    bound: dict[str, forms.Form] | None = None,
    status: int = 200,
) -> HttpResponse:
    settles = message.is_waiting and policies.can_settle_message(request.user, message)
    offered = _offered(message) if settles else []
    unbound = {name: _form(name, message) for name in offered}
    is_closed = policies.is_closed(request.user, selector.patients_of(message))
    context = {
        "message": message,
        "is_closed": is_closed,
        "lines": selector.lines_of(message, with_identities=with_identities, closed=is_closed),
        "with_identities": with_identities,
        "matches": message.matches.select_related("case", "matched_by"),
        "cases": [link.case for link in message.case_links.select_related("case")],
        "proposal": proposal_in(message),
        "may_compare": request.user.has_perm("accounts.view_patient"),
        "forms": unbound | (bound or {}),
        "settlement": getattr(message, "settlement", None),
    }
    return render(request, "exchange/incoming_message.html", context, status=status)
