"""MLLP frames of senders, out of a stream of bytes: 0x0B message 0x1C 0x0D. No I/O here."""

from dataclasses import dataclass

START, END, CR = 0x0B, 0x1C, 0x0D
LINE_ENDS = b"\r\n"
KEPT_OF_OVERSIZED = 4096
GIVES_UP_AFTER = 16
"""A frame this many times too large ends the connection: nobody means to send it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Oversized:
    """A frame that was too large, with its beginning and its size."""

    head: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes outside of frames, or a frame that another one cut short; they are dropped."""

    size: int
    is_endless: bool = False


Event = Frame | Oversized | Noise


class Decoder:
    """Takes bytes as they come and gives what they hold.

    It never keeps more than `largest` bytes of a frame. 0x1C ends a frame whatever follows, as it
    can't stand in a message; line ends between frames are no noise.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._frame: bytearray | None = None
        self._size = 0

    @property
    def is_inside(self) -> bool:
        """True while a frame has begun and not ended."""
        return self._frame is not None

    def feed(self, data: bytes) -> list[Event]:
        """Return what `data` completes, in order."""
        events: list[Event] = []
        rest = data
        while rest:
            rest = self._inside(rest, events) if self.is_inside else self._outside(rest, events)
        return events

    def _outside(self, data: bytes, events: list[Event]) -> bytes:
        """Skip to the start of the next frame."""
        at = data.find(START)
        skipped = data if at < 0 else data[:at]
        if noise := skipped.strip(LINE_ENDS):
            events.append(Noise(len(noise)))
        if at < 0:
            return b""
        self._frame, self._size = bytearray(), 0
        return data[at + 1 :]

    def _inside(self, data: bytes, events: list[Event]) -> bytes:
        """Take what belongs to the frame; another start byte means that it was cut short."""
        places = [at for at in (data.find(START), data.find(END)) if at >= 0]
        at = min(places, default=len(data))
        self._take(data[:at])
        if at == len(data):
            if self._size > GIVES_UP_AFTER * self.largest:
                events.append(Noise(self._size, is_endless=True))
                self._frame = None
            return b""
        events.append(self._ended() if data[at] == END else Noise(self._size))
        self._frame, self._size = (None, 0) if data[at] == END else (bytearray(), 0)
        return data[at + 1 :]

    def _take(self, data: bytes) -> None:
        assert self._frame is not None
        self._size += len(data)
        self._frame += data[: max(0, self.largest - len(self._frame))]

    def _ended(self) -> Event:
        assert self._frame is not None
        if self._size > self.largest:
            return Oversized(bytes(self._frame[:KEPT_OF_OVERSIZED]), self._size)
        return Frame(bytes(self._frame))


def wrap(message: bytes) -> bytes:
    """Return a message as a frame."""
    return bytes((START,)) + message + bytes((END, CR))
