"""The receiving side of E1381/LIS1-A: frames with checksums, acknowledged one by one.

A message counts as received, and its last frame is acknowledged, only once it was stored: the
caller says so with `confirm`.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

STX, ETX, EOT, ENQ, ACK, NAK, ETB = 0x02, 0x03, 0x04, 0x05, 0x06, 0x15, 0x17
FRAME_NUMBERS = 8
LONGEST_FRAME = 64_000
"""LIS01-A2 allows 63 993 signs of text; E1381 had 240."""

TRAILER = 4
"""Two digits of the checksum, CR and LF follow ETB or ETX."""

POSITIVE, NEGATIVE = bytes((ACK,)), bytes((NAK,))


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes to send now."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """A whole message; nothing more happens before `confirm`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Dropped:
    """Bytes of a message that did not come to its end."""

    size: int


Action = Send | Delivered | Dropped


class _State(enum.Enum):
    NEUTRAL = enum.auto()
    RECEIVING = enum.auto()
    WAITING = enum.auto()


class Receiver:
    """Takes bytes as they come; `actions` says what to do."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._state = _State.NEUTRAL
        self._buffer = bytearray()
        self._text = bytearray()
        self._accepted: int | None = None
        self._frame = (0, b"")

    @property
    def is_receiving(self) -> bool:
        """True from ENQ to EOT."""
        return self._state != _State.NEUTRAL

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data

    def actions(self) -> Iterator[Action]:
        """Give what is to be done, in order, until more bytes or a confirmation are needed."""
        while self._state != _State.WAITING and self._buffer:
            before = len(self._buffer)
            step = self._neutral if self._state == _State.NEUTRAL else self._receiving
            yield from step()
            if len(self._buffer) == before:
                return

    def confirm(self, *, is_stored: bool) -> bytes:
        """Return the acknowledgement of a message; one that wasn't stored is asked for again."""
        assert self._state == _State.WAITING
        self._state = _State.RECEIVING
        if not is_stored:
            return NEGATIVE
        self._accepted = self._frame[0]
        self._text.clear()
        return POSITIVE

    def time_out(self) -> int:
        """Go back to neutral after silence; return how many bytes are lost."""
        lost = len(self._text) + len(self._buffer)
        self._reset(_State.NEUTRAL)
        self._buffer.clear()
        return lost

    def _reset(self, state: _State) -> None:
        self._state = state
        self._text.clear()
        self._accepted = None

    def _neutral(self) -> Iterator[Action]:
        """Only ENQ begins a session; what else comes is no message."""
        at = self._buffer.find(ENQ)
        del self._buffer[: len(self._buffer) if at < 0 else at + 1]
        if at >= 0:
            self._reset(_State.RECEIVING)
            yield Send(POSITIVE)

    def _receiving(self) -> Iterator[Action]:
        first = self._buffer[0]
        if first == STX:
            yield from self._take_frame()
        elif first in {EOT, ENQ}:
            del self._buffer[0]
            if self._text:
                yield Dropped(len(self._text))
            self._reset(_State.NEUTRAL if first == EOT else _State.RECEIVING)
            if first == ENQ:
                yield Send(POSITIVE)
        else:
            yield from self._skip()

    def _skip(self) -> Iterator[Action]:
        """A frame whose beginning is lost is asked for again at its line feed."""
        places = [at for sign in (STX, EOT, ENQ) if (at := self._buffer.find(sign)) >= 0]
        end = min(places, default=len(self._buffer))
        is_frame = b"\n" in self._buffer[:end]
        del self._buffer[:end]
        if is_frame:
            yield Send(NEGATIVE)

    def _take_frame(self) -> Iterator[Action]:
        places = [at for sign in (ETX, ETB) if (at := self._buffer.find(sign)) >= 0]
        end = min(places, default=-1)
        if end < 0 or len(self._buffer) < end + 1 + TRAILER:
            if len(self._buffer) > LONGEST_FRAME:
                self._buffer.clear()
                yield Send(NEGATIVE)
            return
        frame = bytes(self._buffer[: end + 1 + TRAILER])
        del self._buffer[: len(frame)]
        yield from self._judge(frame, end)

    def _judge(self, frame: bytes, end: int) -> Iterator[Action]:
        """Accept a frame of the right number and checksum; the last one again is only answered."""
        number = frame[1] - ord("0")
        expected = 1 if self._accepted is None else (self._accepted + 1) % FRAME_NUMBERS
        if not _is_sound(frame, end) or number not in {expected, self._accepted}:
            yield Send(NEGATIVE)
        elif number == self._accepted:
            yield Send(POSITIVE)
        elif len(self._text) + len(frame) > self.largest:
            yield Dropped(len(self._text) + len(frame))
            self._reset(_State.NEUTRAL)
            yield Send(NEGATIVE)
        else:
            yield from self._accept(number, frame[2:end], is_record_end=frame[end] == ETX)

    def _accept(self, number: int, text: bytes, *, is_record_end: bool) -> Iterator[Action]:
        whole = bytes(self._text) + text
        if is_record_end and whole.rstrip(b"\r").rpartition(b"\r")[2][:1] == b"L":
            self._frame = (number, text)
            self._state = _State.WAITING
            yield Delivered(whole)
            return
        self._text += text
        self._accepted = number
        yield Send(POSITIVE)


def checksum(content: bytes) -> bytes:
    """Return the sum of the bytes from frame number to ETB or ETX, modulo 256, as two digits."""
    return b"%02X" % (sum(content) % 256)


def frames(message: bytes, longest: int = 240) -> Iterator[bytes]:
    """Return a message as its sender frames it: each record ends a frame, long ones are cut."""
    number = 0
    for record in message.rstrip(b"\r").split(b"\r"):
        text = record + b"\r"
        for at in range(0, len(text), longest):
            number = (number + 1) % FRAME_NUMBERS
            part = text[at : at + longest]
            mark = ETX if at + longest >= len(text) else ETB
            content = b"%d" % number + part + bytes((mark,))
            yield bytes((STX,)) + content + checksum(content) + b"\r\n"


def _is_sound(frame: bytes, end: int) -> bool:
    if end < 2 or frame[-2:] != b"\r\n" or not 0x30 <= frame[1] <= 0x37:
        return False
    return checksum(frame[1 : end + 1]) == frame[end + 1 : end + 3].upper()
