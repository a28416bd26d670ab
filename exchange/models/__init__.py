"""Tables of the exchange with other systems."""

from exchange.models.incoming import (
    IncomingMessage,
    MessageCase,
    PlacedOrder,
    Settlement,
    SpecimenMatch,
)
from exchange.models.outbox import DeliveryEvent, OutboundMessage
from exchange.models.peers import Peer
from exchange.models.senders import AnalyteCode, OrderCode, Sender
from exchange.models.webhooks import Webhook, WebhookAttempt, WebhookDelivery

__all__ = [
    "AnalyteCode",
    "DeliveryEvent",
    "IncomingMessage",
    "MessageCase",
    "OrderCode",
    "OutboundMessage",
    "Peer",
    "PlacedOrder",
    "Sender",
    "Settlement",
    "SpecimenMatch",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
]
