"""What the pages of receivers and sent messages show, in a bounded number of queries."""

import uuid
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Q, QuerySet
from django.shortcuts import get_object_or_404

from exchange.enums import PARKED_STATES, WAITING_STATES, OutboundState
from exchange.models import OutboundMessage, Peer

if TYPE_CHECKING:
    from accounts.models import User


def list_peers(user: "User") -> QuerySet[Peer]:
    """Return the receivers with how many messages wait, are parked, and when one was accepted."""
    return Peer.objects.visible_to(user).annotate(
        waiting=Count("messages", filter=Q(messages__state__in=WAITING_STATES)),
        parked=Count("messages", filter=Q(messages__state__in=PARKED_STATES)),
        last_accepted=Max(
            "messages__finished_at", filter=Q(messages__state=OutboundState.ACCEPTED)
        ),
    )


def get_peer(user: "User", peer_id: int) -> Peer:
    """Return a receiver that the user may see; else Http404."""
    return get_object_or_404(list_peers(user), pk=peer_id)


def list_messages(
    user: "User", *, state: str = "", peer: int | None = None
) -> QuerySet[OutboundMessage]:
    """Return messages without their bodies, the newest first."""
    found = OutboundMessage.objects.visible_to(user).defer("body")
    found = found.select_related("peer", "report__case").defer("report__content")
    if state == "parked":
        found = found.parked()
    elif state:
        found = found.filter(state=state)
    if peer is not None:
        found = found.filter(peer=peer)
    return found.order_by("-created_at", "-sequence")


def get_message(user: "User", message_id: uuid.UUID) -> OutboundMessage:
    """Return a message that the user may see; else Http404."""
    found = OutboundMessage.objects.visible_to(user).select_related("peer", "report__case__patient")
    return get_object_or_404(found, pk=message_id)


def count_parked(user: "User") -> int:
    """Return how many messages wait for a person."""
    return OutboundMessage.objects.visible_to(user).parked().count()
