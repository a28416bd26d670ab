"""Taking an analyser's ASTM message in; it is acknowledged once this has committed.

Only a query has an answer beside the acknowledgement of the last frame. A message that can't be
used is kept as refused, for a person to see: sending it again would not mend it.
"""

import hashlib
import uuid

from django.db import transaction

from accounts.models import User
from exchange.astm.records import Record, read_astm_results, read_records, sender_name
from exchange.enums import Protocol
from exchange.hl7v2.charsets import codec_for, decode
from exchange.models import Sender
from exchange.refusals import Refusal
from exchange.services.keeping import (
    Arrival,
    Identity,
    find_earlier,
    keep_effect,
    keep_refused,
)
from exchange.services.orders import Context
from exchange.services.queries import answer_queries
from exchange.services.receiving import lock_sender
from exchange.services.results import Brought, apply_results

MESSAGE_TYPE = "ASTM"


def receive_astm(arrival: Arrival) -> bytes:
    """Take a message in; return the answer to its query, empty without one.

    The same bytes again have no second effect; a query is asked anew each time.
    """
    digest = hashlib.sha256(arrival.data).hexdigest()
    identity = Identity(uuid.uuid4(), Protocol.ASTM, digest, message_type=MESSAGE_TYPE)
    try:
        text, records, sender = _read(arrival)
        if _only_asks(records):
            digest = hashlib.sha256(arrival.data + identity.pk.bytes).hexdigest()
        identity = Identity(
            identity.pk, Protocol.ASTM, digest, sender, MESSAGE_TYPE, records[0].text(3)[:199]
        )
        with transaction.atomic():
            return _take(identity, arrival, text, records, sender)
    except Refusal as refusal:
        with transaction.atomic():
            keep_refused(identity, arrival, refusal)
    return b""


def _read(arrival: Arrival) -> tuple[str, list[Record], Sender]:
    """Read the records in the character set of the one sender that fits the header."""
    for sender in arrival.senders:
        text = decode(arrival.data, codec_for("", sender.charset))
        records = read_records(text)
        if sender.application in {"", sender_name(records[0])}:
            return text.lstrip(), records, sender
    raise Refusal("This analyser is not known here.", location="H^1^5", rejects=True)


def _take(
    identity: Identity, arrival: Arrival, text: str, records: list[Record], sender: Sender
) -> bytes:
    locked = lock_sender(sender)
    if find_earlier(identity):
        return b""
    brought = Brought((), (), "")
    answered = answer_queries(records, text, locked)
    if not _only_asks(records):
        results = read_astm_results(records, zone=locked.zone)
        brought = apply_results(results, Context(locked, identity.pk, User.system()))
    answer = answered.text.encode(codec_for("", locked.charset)) if answered else b""
    keep_effect(
        identity,
        arrival,
        cases=(*brought.cases, *(answered.cases if answered else ())),
        replies=[answer] if answer else [],
        notes=(*brought.notes, *(answered.notes if answered else ())),
        waiting=brought.waiting,
    )
    return answer


def _only_asks(records: list[Record]) -> bool:
    kinds = {record.kind for record in records}
    return "Q" in kinds and not kinds & {"O", "R"}
