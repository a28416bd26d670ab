"""Erasing what messages say; their rows stay, with what was there by hash and size.

Whether they may go is asked before, by whoever holds the locks of their cases and rows.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from exchange.models import DeliveryEvent, IncomingMessage, OutboundMessage, Settlement
from exchange.models.contents import MARKS
from exchange.selectors.keeping import MessageTable
from exchange.services.receiving import answer_of

REASON_LIMIT: Final = 250
NAMES_NOBODY: Final = (b"MSH", b"MSA", b"ERR")
"""The segments of a reply that are left; with them ORL and ORR are still whole messages."""

BESIDES: Final[Mapping[type[Model], tuple[str, ...]]] = {
    IncomingMessage: ("replies",),
    OutboundMessage: ("problem",),
}
"""What goes, or is cut, besides the contents."""


def erase_contents(table: MessageTable, rows: Collection[Any], *, because: str) -> None:
    """Empty messages whose rows are locked, and mark them with the rule.

    A message that comes again under its control ID is still known, and gets the code of its
    answer. Of delivered ones the receiver's answers and the words about each step go too.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("Messages are emptied in the transaction that decides of them.")
    at, because = timezone.now(), because[:REASON_LIMIT]
    for row in rows:
        contents = bytes(getattr(row, table.contents))
        row.disposed_at, row.disposed_because = at, because
        row.disposed_sha256 = hashlib.sha256(contents).hexdigest()
        row.disposed_bytes = len(contents)
        _empty(row, table.contents)
    changed = [*MARKS, table.contents, *BESIDES.get(table.model, ())]
    table.model._default_manager.bulk_update(rows, changed)
    keys = [row.pk for row in rows]
    if table.model is IncomingMessage:
        Settlement.objects.filter(message__in=keys).exclude(replies=[]).update(replies=[])
    if table.model is OutboundMessage:
        DeliveryEvent.objects.filter(message__in=keys).update(detail="", answer="")


def without_identities(replies: Iterable[bytes]) -> list[bytes]:
    """Return replies with only the segments that say what became of a message."""
    return [
        b"".join(line + b"\r" for line in reply.split(b"\r") if line[:3] in NAMES_NOBODY)
        for reply in replies
        if reply.startswith(NAMES_NOBODY[0])
    ]


def _empty(row: Any, contents: str) -> None:
    setattr(row, contents, b"")
    if isinstance(row, IncomingMessage):
        row.replies = without_identities(answer_of(row))
    if isinstance(row, OutboundMessage):
        row.problem = ""
