"""What is sent to an address by somebody, or something, that means it harm."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.attacks.forms import Door

URLENCODED = "application/x-www-form-urlencoded"
JSON = "application/json"
BOUNDARY = "hostile"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
MARKUP = "\"'><script>alert(9)</script>"

VALUES: Sequence[str] = (
    "", " ", "\0", "a\0b", "x" * 200_000, "\u202egnp.exe", "\ufeff\u200b", "\ud800",
    "'; DROP TABLE x;--", MARKUP, "{{7*7}}{% now %}", "=cmd|' /C calc'!A0",
    "Subject: x\r\nBcc: all@world.example", "../../../../etc/passwd", "-1", "0", "1e400", "NaN",
    "Infinity", "9" * 400, "1" * 20, "2147483648", "9223372036854775808", "0x10", "0.1e-400",
    "\u0661\u0662", "null", "true", "on", "[]", "0001-01-01", "9999-12-31", "10000-01-01",
    "2026-02-30", "1900-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000000", "not-a-uuid", "a@b",
    "a@" + "b" * 300 + ".example", "http://[::1", "javascript:alert(1)", "file:///etc/passwd",
    "http://169.254.169.254/", "//evil.example", "e\u0301" * 3000, "\U0001f9ec", "%00", "%s%n",
    "${jndi:ldap://x}", "\r\n\r\n", "\t",
)  # fmt: skip
PLAIN: Sequence[Any] = (
    None, True, False, 0, -1, 10**400, 1.5, 1e308, [], {}, [[]], [None], {"a": 1}, "\ud800", "\0",
    "x" * 100_000, MARKUP, ["x"] * 2000, 2**63, -(2**63) - 1, "not-a-uuid", "9999-12-31",
)  # fmt: skip
FILES: Sequence[tuple[str, bytes]] = (
    ("cell.png", b""), ("../../etc/passwd", b"root"), ("x.svg", b"<svg onload=alert(9)>"),
    ("a\0b.zip", b"PK\x03\x04"), ("\u202egnp.exe", b"MZ"),
    ("x" * 300 + ".png", b"\x89PNG\r\n\x1a\n"), ('"; filename="b.pdf', b"%PDF-1.7"), ("", b"x"),
    ("model.zip", b"PK\x05\x06" + b"\0" * 18),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """A body and its stated type, and in words what is wrong with it."""

    what: str
    body: bytes
    content_type: str


Maker = Callable[[random.Random], Sent]


def bodies_for(door: Door, number: int) -> list[Sent]:
    """Return so many bodies for an address, the same ones each time."""
    chance = random.Random(f"{door.name} {door.method}")
    is_json = door.json is not None
    whole = _whole_json(door.json) if is_json else _whole_forms(door)
    makers = _json_makers(door.json) if is_json else _form_makers(door)
    chance.shuffle(whole)
    chosen = whole[: max(1, number // 3) if makers else number]
    return chosen + [chance.choice(makers)(chance) for _ in range(number - len(chosen)) if makers]


def _whole_forms(door: Door) -> list[Sent]:
    """Return bodies that are wrong as a whole, and the right one."""
    fields, files = door.form.fields, sorted(door.form.files)
    encoded, parts = _encoded(fields), _multipart(fields, files)
    outside = b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"
    return [
        Sent("unchanged", encoded, URLENCODED),
        Sent("nothing", b"", URLENCODED),
        Sent("no utf-8", _with_bytes(fields, b"%ff%fe\xff\xfe%00"), URLENCODED),
        Sent("an unknown charset", encoded, f"{URLENCODED}; charset=klingon"),
        Sent("utf-16", encoded, f"{URLENCODED}; charset=utf-16"),
        Sent("JSON for a form", json.dumps(dict(fields)).encode(), JSON),
        Sent("no type", encoded, ""),
        Sent("XML", outside, "application/xml"),
        Sent("half a multipart", parts[:-20], MULTIPART),
        Sent("multipart without boundary", parts, "multipart/form-data"),
        Sent("a strange boundary", parts, "multipart/form-data; boundary=\u00e9"),
        Sent("base64 that is none", _broken_base64(fields), MULTIPART),
        Sent("1500 fields", _encoded({f"f{i}": "1" for i in range(1500)}), URLENCODED),
        Sent("3 MB", b"a=" + b"x" * 3_000_000, URLENCODED),
    ]


def _whole_json(right: Any) -> list[Sent]:
    """Return bodies that are wrong as a whole, and the right one."""
    plain = json.dumps(right).encode()
    wrong = {
        "nothing": b"",
        "deep": b"[" * 100_000,
        "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        "half": plain[:-3],
        "no utf-8": b'{"text": "\xff\xfe"}',
        "a number of too many digits": b'{"a": ' + b"9" * 10_000 + b"}",
        "NaN": b'{"a": NaN, "b": Infinity}',
        "a list": b"[1]",
        "a word": b'"x"',
        "null": b"null",
    }
    return [
        Sent("unchanged", plain, JSON),
        *(Sent(what, body, JSON) for what, body in wrong.items()),
        Sent("an unknown charset", plain, f"{JSON}; charset=klingon"),
        Sent("a form for JSON", b"a=1", URLENCODED),
    ]


def _form_makers(door: Door) -> list[Maker]:
    """Return how single fields go wrong; hostile values most often."""
    fields, files = door.form.fields, sorted(door.form.files)
    makers: list[Maker] = []
    if fields:
        hostile = [_hostile_field(fields)] * 2
        makers += [*hostile, _missing_field(fields), _doubled_field(fields), _all_hostile(fields)]
    if files:
        makers += [_hostile_file(fields, files)] * 3
    return makers


def _json_makers(right: Any) -> list[Maker]:
    """Return how single members go wrong."""
    return [_hostile_member(right)] if isinstance(right, dict) and right else []


def _hostile_field(fields: Mapping[str, str]) -> Maker:
    def make(chance: random.Random) -> Sent:
        name, value = chance.choice(sorted(fields)), chance.choice(VALUES)
        return _plain(f"{name}={value[:40]!r}", {**fields, name: value})

    return make


def _missing_field(fields: Mapping[str, str]) -> Maker:
    def make(chance: random.Random) -> Sent:
        name = chance.choice(sorted(fields))
        return _plain(f"without {name}", {key: v for key, v in fields.items() if key != name})

    return make


def _doubled_field(fields: Mapping[str, str]) -> Maker:
    def make(chance: random.Random) -> Sent:
        name, value = chance.choice(sorted(fields)), chance.choice(VALUES)
        pairs = [*fields.items(), (name, value), (name, fields[name])]
        return Sent(f"{name} three times, once {value[:40]!r}", _encoded(pairs), URLENCODED)

    return make


def _all_hostile(fields: Mapping[str, str]) -> Maker:
    def make(chance: random.Random) -> Sent:
        value = chance.choice(VALUES)
        kept = {"password", "change"} & set(fields)
        every = {name: fields[name] if name in kept else value for name in fields}
        return _plain(f"all {value[:40]!r}", every)

    return make


def _hostile_file(fields: Mapping[str, str], files: Sequence[str]) -> Maker:
    def make(chance: random.Random) -> Sent:
        name, content = chance.choice(FILES)
        body = _multipart(fields, files, name, content)
        return Sent(f"the file {name[:40]!r}", body, MULTIPART)

    return make


def _hostile_member(sent: Mapping[str, Any]) -> Maker:
    def make(chance: random.Random) -> Sent:
        name = chance.choice(sorted(sent))
        value: Any = chance.choice([*PLAIN, *VALUES])
        if isinstance(sent[name], list) and chance.random() < 0.5:
            value = [value]
        return _as_json(f"{name}={str(value)[:40]!r}", {**sent, name: value})

    return make


def _plain(what: str, fields: Mapping[str, str]) -> Sent:
    return Sent(what, _encoded(fields), URLENCODED)


def _as_json(what: str, value: Any) -> Sent:
    return Sent(what, json.dumps(value).encode(), JSON)


def _encoded(fields: Any) -> bytes:
    return urlencode(fields, errors="surrogatepass").encode()


def _with_bytes(fields: Mapping[str, str], junk: bytes) -> bytes:
    return b"&".join(name.encode() + b"=" + junk for name in fields) or junk


def _multipart(
    fields: Mapping[str, str], files: Sequence[str], name: str = "a.png", content: bytes = b"x"
) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
    parts = [f'{head}"{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()]
    for key in files or ["file"]:
        named = f'{head}"{key}"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
        parts.append(named.encode("utf-8", "surrogatepass") + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _broken_base64(fields: Mapping[str, str]) -> bytes:
    name = next(iter(fields), "a")
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n%%%=\r\n--{BOUNDARY}--\r\n"
    ).encode()
