"""The tables of messages as a disposal sees them: since when each is kept, and who needs it yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Func, IntegerField, Model, Q, QuerySet
from django.db.models.functions import Coalesce

from exchange.enums import FINISHED_STATES, IncomingOutcome, WebhookState
from exchange.models import IncomingMessage, OutboundMessage, WebhookDelivery


@dataclass(frozen=True, slots=True)
class MessageTable:
    """A table of messages: the fields of contents and other system, the path to its cases.

    ``written`` is the moment from which a message's time counts, ``settled`` what is true of one
    that nobody needs any more, ``unsettled`` says of the others why they stay.
    """

    name: str
    words: str
    model: type[Model]
    contents: str
    system: str
    cases: str
    written: Any
    settled: Q
    unsettled: str

    def rows(self) -> "QuerySet[Any]":
        """Return the messages whose contents are there, with ``written_at`` and ``length``."""
        length = Func(F(self.contents), function="octet_length", output_field=IntegerField())
        return self.rows_with_erased().filter(disposed_at=None).annotate(length=length)

    def rows_with_erased(self) -> "QuerySet[Any]":
        """Return all messages without their contents, with ``written_at``."""
        found = self.model._default_manager.order_by().defer(self.contents)
        return found.annotate(written_at=self.written)


RECEIVED = MessageTable(
    name="received",
    words="received",
    model=IncomingMessage,
    contents="raw",
    system="sender",
    cases="case_links__case",
    written=F("received_at"),
    settled=~Q(outcome=IncomingOutcome.PARKED) | Q(settlement__isnull=False),
    unsettled="It waits for a person.",
)
SENT = MessageTable(
    name="sent",
    words="sent",
    model=OutboundMessage,
    contents="body",
    system="peer",
    cases="report__case",
    written=Coalesce("finished_at", "created_at"),
    settled=Q(state__in=FINISHED_STATES),
    unsettled="It is not delivered yet.",
)
TOLD = MessageTable(
    name="told",
    words="told to a webhook",
    model=WebhookDelivery,
    contents="body",
    system="webhook",
    cases="report__case",
    written=Coalesce("finished_at", "created_at"),
    settled=Q(state=WebhookState.DELIVERED) | Q(state=WebhookState.DEAD, webhook__is_active=False),
    unsettled="It is not delivered yet.",
)
TABLES: Mapping[str, MessageTable] = {table.name: table for table in (RECEIVED, SENT, TOLD)}
"""A delivery that was given up on stays until its webhook is stopped: it may be sent again."""
