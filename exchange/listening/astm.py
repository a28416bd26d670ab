"""The conversation of ASTM over TCP: a message's last frame is acknowledged once stored."""

import logging

from exchange.astm.link import Delivered, Receiver, Send
from exchange.listening.answering import store_astm
from exchange.listening.astm_answers import Answers
from exchange.listening.listener import Connection
from exchange.services.keeping import Arrival

logger = logging.getLogger(__name__)


async def converse(connection: Connection) -> None:
    """Receive until the analyser leaves; silence within a session ends the session alone."""
    limits = connection.listener.limits
    link = Receiver(limits.largest_message)
    answers = Answers(connection, link)
    while not connection.listener.is_stopping:
        silence = limits.frame_seconds if link.is_receiving else limits.idle_seconds
        try:
            data = await connection.read(silence)
        except TimeoutError:
            if not link.is_receiving:
                raise
            lost = link.time_out()
            logger.warning("Silence of %s: dropped %d bytes", connection.address, lost)
            continue
        if not data:
            break
        link.feed(data)
        await _act(connection, link, answers)
        await answers.send()
        await _act(connection, link, answers)
    if lost := link.time_out():
        logger.warning("Dropped %d bytes of a message from %s", lost, connection.address)


async def _act(connection: Connection, link: Receiver, answers: Answers) -> None:
    waiting = True
    while waiting:
        waiting = False
        for action in link.actions():
            if isinstance(action, Send):
                await connection.write(action.data)
            elif isinstance(action, Delivered):
                arrival = Arrival(action.data, connection.senders, connection.address)
                answer = await connection.in_thread(store_astm, arrival)
                await connection.write(link.confirm(is_stored=answer is not None))
                if answer:
                    answers.add(answer)
                waiting = True
            else:
                logger.warning("Dropped %d bytes from %s", action.size, connection.address)
