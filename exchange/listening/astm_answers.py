"""Sending answers to an analyser's queries on the line that it opened, once it has finished."""

import asyncio
import logging

from exchange.astm.link import Receiver
from exchange.astm.sending import Outcome, Transmitter
from exchange.listening.listener import Connection

logger = logging.getLogger(__name__)

MOST_CALLS = 3


class Answers:
    """The answers that wait for the line to be free."""

    def __init__(self, connection: Connection, link: Receiver) -> None:
        self._connection = connection
        self._link = link
        self._waiting: list[bytes] = []
        self._calls = 0

    def add(self, message: bytes) -> None:
        """Let an answer wait; a newer question makes an unsent answer worthless."""
        self._waiting, self._calls = [message], 0

    async def send(self) -> None:
        """Send what waits, if the analyser has ended its session; else later."""
        while self._waiting and not self._link.is_receiving:
            outcome = await self._transmit(self._waiting[0])
            if outcome == Outcome.YIELDED:
                return
            self._calls += 1
            if outcome == Outcome.BUSY and self._calls < MOST_CALLS:
                await asyncio.sleep(self._connection.listener.limits.busy_seconds)
                continue
            self._waiting = []
            if outcome != Outcome.DELIVERED:
                logger.warning("%s took no answer to its query", self._connection.address)

    async def _transmit(self, message: bytes) -> Outcome:
        sending = Transmitter(message)
        await self._connection.write(sending.begin())
        while sending.outcome == Outcome.UNDER_WAY:
            try:
                data = await self._connection.read(self._connection.listener.limits.answer_seconds)
            except TimeoutError:
                await self._connection.write(sending.give_up())
                break
            if not data:
                raise ConnectionResetError("closed amid an answer")
            for part in sending.feed(data):
                await self._connection.write(part)
        self._link.feed(sending.rest)
        return sending.outcome
