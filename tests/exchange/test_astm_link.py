"""E1381 frames, received bit by bit, damaged, repeated and late."""

from collections.abc import Iterator

import pytest

from exchange.astm.link import Delivered, Dropped, Receiver, checksum, frames

ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"
MESSAGE = b"H|\\^&\rP|1\rO|1||A\rR|1|^^^WBC|" + b"7" * 300 + b"\rL|1|N\r"


class Line:
    """The receiver with somebody who confirms what it delivers."""

    def __init__(self, *, is_stored: bool = True) -> None:
        self.link = Receiver(10_000)
        self.is_stored = is_stored
        self.messages: list[bytes] = []
        self.dropped: list[int] = []

    def say(self, data: bytes) -> bytes:
        self.link.feed(data)
        return b"".join(self._answers())

    def _answers(self) -> Iterator[bytes]:
        for action in self.link.actions():
            if isinstance(action, Delivered):
                self.messages.append(action.data)
                yield self.link.confirm(is_stored=self.is_stored)
            elif isinstance(action, Dropped):
                self.dropped.append(action.size)
            else:
                yield action.data


def test_knows_the_published_checksum() -> None:
    # LIS1-A, 6.3.3: the sum of all bytes after STX up to and with ETX, modulo 256.
    assert checksum(b"1Test\x03") == b"%02X" % ((0x31 + 0x54 + 0x65 + 0x73 + 0x74 + 0x03) % 256)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_receives_a_message_however_it_is_cut(step: int) -> None:
    line = Line()
    data = ENQ + b"".join(frames(MESSAGE)) + EOT
    answers = b"".join(line.say(data[at : at + step]) for at in range(0, len(data), step))
    assert line.messages == [MESSAGE]
    assert answers == ACK * (1 + len(list(frames(MESSAGE))))
    assert not line.link.is_receiving


def test_asks_again_for_a_frame_with_a_wrong_checksum() -> None:
    line = Line()
    first, *rest = frames(MESSAGE)
    assert line.say(ENQ) == ACK
    assert line.say(first.replace(b"H|", b"X|")) == NAK
    assert line.say(first) == ACK
    assert line.say(b"".join(rest)) == ACK * len(rest)
    assert line.messages == [MESSAGE]


def test_knows_a_frame_that_is_sent_again() -> None:
    line = Line()
    line.say(ENQ)
    for frame in frames(MESSAGE):
        assert line.say(frame) == ACK
        assert line.say(frame) == ACK
    assert line.messages == [MESSAGE]


def test_asks_again_for_a_frame_out_of_turn() -> None:
    line = Line()
    line.say(ENQ)
    parts = list(frames(MESSAGE))
    assert line.say(parts[1]) == NAK
    assert line.say(parts[0] + parts[2]) == ACK + NAK


def test_a_message_that_was_not_stored_is_asked_for_again() -> None:
    line = Line(is_stored=False)
    *most, last = frames(MESSAGE)
    assert line.say(ENQ + b"".join(most)) == ACK * (len(most) + 1)
    assert line.say(last) == NAK
    line.is_stored = True
    assert line.say(last) == ACK
    assert line.messages == [MESSAGE, MESSAGE]


def test_numbers_frames_from_0_to_7_and_begins_at_1() -> None:
    line = Line()
    message = b"H|\\^&\r" + b"R|1\r" * 20 + b"L|1\r"
    assert [frame[1:2] for frame in frames(message)][:9] == [
        b"%d" % n for n in (1, 2, 3, 4, 5, 6, 7, 0, 1)
    ]
    line.say(ENQ + b"".join(frames(message)) + EOT + ENQ + b"".join(frames(message)) + EOT)
    assert line.messages == [message, message]


def test_drops_what_was_cut_short() -> None:
    line = Line()
    first, *_ = frames(MESSAGE)
    line.say(ENQ + first + EOT)
    assert line.dropped
    line.say(ENQ + first + ENQ)
    assert len(line.dropped) == 2
    line.say(first)
    assert line.link.time_out() > 0
    assert not line.link.is_receiving
    assert not line.messages


def test_asks_again_for_a_frame_whose_beginning_is_lost() -> None:
    line = Line()
    first, *_ = frames(MESSAGE)
    line.say(ENQ)
    assert line.say(first[1:]) == NAK
    assert line.say(first) == ACK


def test_answers_nothing_outside_of_a_session() -> None:
    line = Line()
    assert line.say(b"\x02garbage\x03\r\n" + EOT + ACK) == b""


def test_does_not_grow_without_end() -> None:
    line = Line()
    line.say(ENQ)
    assert line.say(b"\x02" + b"1" * 70_000) == NAK
    record = b"\x02%d" + b"x" * 5000 + b"\x17"
    for number in (1, 2):
        content = record % number
        answer = line.say(content + checksum(content[1:]) + b"\r\n")
    assert answer == NAK
    assert line.dropped
