"""The sending side of E1381/LIS1-A: a call, frames that are acknowledged one by one, the end."""

import enum
from collections.abc import Iterator

from exchange.astm.link import ACK, ENQ, EOT, NAK, frames

MOST_TRIES = 6
"""A frame that is refused so often ends the session (LIS1-A, 6.5.1.2)."""


class Outcome(enum.Enum):
    """How far sending one message is."""

    UNDER_WAY = enum.auto()
    DELIVERED = enum.auto()
    BUSY = enum.auto()
    YIELDED = enum.auto()
    GIVEN_UP = enum.auto()


class Transmitter:
    """Sends one message; `feed` takes what comes back and gives what to send next.

    Where both sides call at once, the analyser goes first: `rest` holds its call.
    """

    def __init__(self, message: bytes) -> None:
        self._frames = list(frames(message))
        self._next = -1
        self._tries = 0
        self.outcome = Outcome.UNDER_WAY
        self.rest = b""

    def begin(self) -> bytes:
        """Return the call."""
        return bytes((ENQ,))

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what came; give what is to be sent, until the outcome is known."""
        for at, sign in enumerate(data):
            if self.outcome != Outcome.UNDER_WAY:
                self.rest = data[at:]
                return
            if self._next < 0 and sign == ENQ:
                self.outcome, self.rest = Outcome.YIELDED, data[at:]
                return
            yield from self._called(sign) if self._next < 0 else self._sending(sign)

    def give_up(self) -> bytes:
        """End the session after silence."""
        self.outcome = Outcome.GIVEN_UP
        return bytes((EOT,))

    def _called(self, sign: int) -> Iterator[bytes]:
        if sign == ACK:
            self._next = 0
            yield self._frames[0]
        elif sign == NAK:
            self.outcome = Outcome.BUSY

    def _sending(self, sign: int) -> Iterator[bytes]:
        """ACK and EOT (a wish to be let speak) take the frame, all else refuses it."""
        if sign in {ACK, EOT}:
            self._next, self._tries = self._next + 1, 0
            if self._next == len(self._frames):
                self.outcome = Outcome.DELIVERED
                yield bytes((EOT,))
            else:
                yield self._frames[self._next]
            return
        self._tries += 1
        if self._tries >= MOST_TRIES:
            yield self.give_up()
        else:
            yield self._frames[self._next]
