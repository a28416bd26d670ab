"""The conversation of HL7 v2 over MLLP: frame in, answer out, one after the other."""

import logging

from exchange.frames import Decoder, Frame, Noise, Oversized, wrap
from exchange.listening.answering import answer_hl7, answer_oversized
from exchange.listening.listener import Connection
from exchange.services.keeping import Arrival

logger = logging.getLogger(__name__)


async def converse(connection: Connection) -> None:
    """Answer messages until the sender leaves, falls silent or sends without end."""
    limits = connection.listener.limits
    decoder = Decoder(limits.largest_message)
    while not connection.listener.is_stopping:
        silence = limits.frame_seconds if decoder.is_inside else limits.idle_seconds
        data = await connection.read(silence)
        if not data:
            break
        for event in decoder.feed(data):
            if isinstance(event, Noise):
                logger.warning("Dropped %d bytes from %s", event.size, connection.address)
                if event.is_endless:
                    return
            else:
                await _answer(connection, event)
    if decoder.is_inside:
        logger.warning("Dropped a truncated message from %s", connection.address)


async def _answer(connection: Connection, event: Frame | Oversized) -> None:
    data = event.head if isinstance(event, Oversized) else event.data
    arrival = Arrival(data, connection.senders, connection.address)
    if isinstance(event, Oversized):
        replies = await connection.in_thread(answer_oversized, arrival, event.size)
    else:
        replies = await connection.in_thread(answer_hl7, arrival)
    for reply in replies:
        await connection.write(wrap(reply))
