"""Receivers of results: list, form, trying the connection."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classifier.exceptions import GuardFailed, NotPermitted
from classifier.views.access import MemberRequest, duty_required
from exchange.models import Peer
from exchange.receiver_forms import PeerForm
from exchange.selectors import pages
from exchange.services import peers as service

DUTY = "manage_interfaces"


@duty_required(DUTY)
@require_GET
def peer_list(request: MemberRequest) -> HttpResponse:
    """List the receivers and how each is found."""
    context = {"peers": pages.list_peers(request.user), "parked": pages.count_parked(request.user)}
    return render(request, "exchange/peers.html", context)


@duty_required(DUTY)
@require_http_methods(["GET", "POST"])
def peer_new(request: MemberRequest) -> HttpResponse:
    """Add a receiver."""
    form = PeerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        peer = service.add_peer(actor=request.user, values=form.cleaned_data)
        messages.success(
            request, f"{peer.name} was added. Try the connection before you rely on it."
        )
        return redirect(peer)
    return render(request, "exchange/peer_form.html", {"form": form})


@duty_required(DUTY)
@require_http_methods(["GET", "POST"])
def peer(request: MemberRequest, pk: int) -> HttpResponse:
    """Show and change a receiver."""
    found = pages.get_peer(request.user, pk)
    form = PeerForm(request.POST or None, instance=Peer.objects.get(pk=pk))
    if request.method == "POST" and form.is_valid():
        service.change_peer(peer_id=pk, actor=request.user, values=form.cleaned_data)
        messages.success(request, "Stored. Messages that are written already stay as they are.")
        return redirect(found)
    return render(request, "exchange/peer_form.html", {"form": form, "peer": found})


@duty_required(DUTY)
@require_POST
def peer_try(request: MemberRequest, pk: int) -> HttpResponse:
    """Try to connect to a receiver; nothing is sent."""
    found = pages.get_peer(request.user, pk)
    try:
        how = service.try_peer(peer_id=pk, actor=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except GuardFailed as problem:
        messages.error(request, f"{found.name} was not reached. {problem}")
    else:
        messages.success(request, f"{found.name} was reached, {how}. Nothing was sent.")
    return redirect(found)
