"""The form of a sealed file, and all that may be done to one."""

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from vault.exceptions import Damaged, KeysUnusable, KeyUnknown
from vault.keys import Key, Keyring
from vault.reading import SealedReader
from vault.sealing import HEADER_BYTES, TAG_BYTES, read_header, rewrap, seal

KEY, OTHER = Key(bytes(32)), Key(b"k" * 32)
CHUNK = 1 << 16
NAME = "images/one.png"
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17)


@pytest.fixture(autouse=True)
def _known_key(settings: Settings) -> None:
    settings.VAULT_KEYS = [KEY.as_text()]


class Memory:
    """Stored bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self.size = data, len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def close(self) -> None:
        pass


def sealed(data: bytes, name: str = NAME, key: Key = KEY) -> bytes:
    target = io.BytesIO()
    found = seal(iter([data[:100], data[100:]]), target, name=name, key=key)
    assert found.size == len(data)
    return target.getvalue()


def opened(stored: bytes, name: str = NAME, key: Key = KEY) -> SealedReader:
    header = read_header(stored)
    return SealedReader(Memory(stored), header, name=name, keys=Keyring((key,)))


def text(size: int) -> bytes:
    return (b"0123456789abcdefg" * (size // 17 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
def test_gives_back_what_was_sealed(size: int) -> None:
    reader = opened(sealed(text(size)))

    assert reader.size == size
    assert reader.readall() == text(size)


@pytest.mark.parametrize("size", SIZES)
def test_says_nothing_of_what_it_holds(size: int) -> None:
    one, other = sealed(text(size)), sealed(text(size))

    assert text(min(size, 32)) not in one or size < 8
    assert one[HEADER_BYTES:] != other[HEADER_BYTES:]
    assert KEY.secret not in one


@given(st.integers(0, 3 * CHUNK), st.integers(0, 2 * CHUNK))
@examples(max_examples=40, deadline=None)
def test_any_part_is_read_alone(start: int, length: int) -> None:
    whole = text(3 * CHUNK)
    reader = io.BufferedReader(opened(WHOLE))
    reader.seek(start)

    assert reader.read(length) == whole[start : start + length]


WHOLE = sealed(text(3 * CHUNK))


def _tampered() -> Iterator[tuple[str, bytes]]:
    step = CHUNK + TAG_BYTES
    for place in range(8, HEADER_BYTES, 5):
        yield f"header {place}", WHOLE[:place] + bytes([WHOLE[place] ^ 1]) + WHOLE[place + 1 :]
    for place in (HEADER_BYTES, HEADER_BYTES + step + 5, len(WHOLE) - 1):
        yield f"byte {place}", WHOLE[:place] + bytes([WHOLE[place] ^ 1]) + WHOLE[place + 1 :]
    chunks = [WHOLE[HEADER_BYTES + n * step : HEADER_BYTES + (n + 1) * step] for n in range(3)]
    head = WHOLE[:HEADER_BYTES]
    yield "reordered", head + chunks[1] + chunks[0] + chunks[2]
    yield "repeated", head + chunks[0] + chunks[0] + chunks[2]
    yield "one left out", head + chunks[0] + chunks[2]
    yield "the last cut off", head + chunks[0] + chunks[1]
    yield "cut in a chunk", WHOLE[:-40]
    yield "nothing but a header", head
    yield "lengthened", WHOLE + chunks[2]
    yield "one byte too many", WHOLE + b"x"


@pytest.mark.parametrize("stored", [pytest.param(data, id=name) for name, data in _tampered()])
def test_whatever_is_done_to_it_is_noticed(stored: bytes) -> None:
    with pytest.raises((Damaged, KeyUnknown)):
        opened(stored).readall()


def test_does_not_open_under_another_name() -> None:
    with pytest.raises(Damaged):
        opened(WHOLE, name="images/two.png")


def test_does_not_open_with_another_key() -> None:
    with pytest.raises(KeyUnknown, match=OTHER.name):
        Keyring((KEY,)).find(OTHER.id)


def test_another_wrapping_leaves_the_chunks() -> None:
    header = read_header(WHOLE)
    anew = rewrap(header, name=NAME, keys=Keyring((OTHER, KEY)), key=OTHER)
    stored = anew.to_bytes() + WHOLE[HEADER_BYTES:]

    assert anew.key_id == OTHER.id
    assert opened(stored, key=OTHER).readall() == text(3 * CHUNK)


@pytest.mark.parametrize("bad", ["", "short", "ä" * 44, "A" * 40])
def test_refuses_what_is_no_key_and_does_not_repeat_it(bad: str) -> None:
    with pytest.raises(KeysUnusable) as refusal:
        Key.from_text(bad)
    assert not bad or bad not in str(refusal.value)
