"""Sent messages: list, one message with its steps, and what a person decides about it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classifier.exceptions import NotPermitted
from classifier.views.access import MemberRequest, attempt, duty_required
from exchange import policies
from exchange.models import OutboundMessage
from exchange.receiver_forms import MessageFilter
from exchange.segments import list_segments
from exchange.selectors import pages
from exchange.services import decisions
from exchange.views.peers import DUTY

PAGE_SIZE = 50

# Slug -> service, what is said afterwards.
DECISIONS: dict[str, tuple[Callable[..., Any], str]] = {
    "send-again": (decisions.send_again, "The message will be sent again as it is."),
    "write-anew": (decisions.write_anew, "The report was written anew and will be sent."),
    "set-aside": (decisions.set_aside, "The message was set aside. Later versions may follow."),
}


@duty_required(DUTY)
@require_GET
def message_list(request: MemberRequest) -> HttpResponse:
    """List messages by state and receiver."""
    form = MessageFilter(request.GET, peers=pages.list_peers(request.user))
    chosen = form.cleaned_data if form.is_valid() else {}
    peer = chosen.get("peer")
    found = pages.list_messages(
        request.user, state=chosen.get("state", ""), peer=peer.pk if peer else None
    )
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "page": page,
        "form": form,
        "query": query.urlencode(),
        "parked": pages.count_parked(request.user),
    }
    return render(request, "exchange/messages.html", context)


@duty_required(DUTY)
@never_cache
@require_GET
def message(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a message without what identifies the patient."""
    return _page(request, pages.get_message(request.user, pk), with_identities=False)


@duty_required(DUTY)
@never_cache
@require_POST
def message_show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a message as it is, and write down who read it."""
    found = pages.get_message(request.user, pk)
    try:
        decisions.read_identities(message=found, actor=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    return _page(request, found, with_identities=True)


@duty_required(DUTY)
@require_POST
def message_decide(request: MemberRequest, pk: uuid.UUID, decision: str) -> HttpResponse:
    """Do with a message what a person decided."""
    found = pages.get_message(request.user, pk)
    if decision not in DECISIONS:
        raise Http404
    service, said = DECISIONS[decision]
    reason = request.POST.get("reason", "")[:250]
    attempt(request, service, success=said, message_id=found.pk, actor=request.user, reason=reason)
    standing = OutboundMessage.objects.filter(replaces=found).first() or found
    return redirect(standing)


def _page(request: MemberRequest, found: OutboundMessage, *, with_identities: bool) -> HttpResponse:
    is_closed = policies.is_closed(request.user, [found.report.case.patient_id])
    context = {
        "message": found,
        "is_closed": is_closed,
        "segments": [] if is_closed else list_segments(found, with_identities=with_identities),
        "with_identities": with_identities,
        "events": found.events.order_by("pk"),
        "may_send_again": found.state in decisions.REPLAYABLE and not found.disposed_at,
        "may_write_anew": found.state in decisions.REWRITABLE,
        "replaced_by": OutboundMessage.objects.filter(replaces=found).first(),
    }
    return render(request, "exchange/message.html", context)
