#!/usr/bin/env python3
"""Verify an export of the audit trail, anywhere: Python 3.11 and `cryptography`, nothing else.

    python verify_audit_export.py EXPORT[.gz] [--key FINGERPRINT] [--anchors FOLDER]

Prints what is wrong and where, and exits with 1; with 0 if nothing is, with 2 if the file can't
be read. `--key` is the fingerprint of an audit key that was noted outside the laboratory's
system: without it, keys are those that the export itself brings. `--anchors` is a folder with
anchors that were kept outside: each must stand in the export as it was.

It shares no line with the application that wrote the export, so a mistake there is not
repeated here. The format is described in docs/audit.md.
"""

import argparse
import gzip
import hashlib
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "hematovision-audit-1"
GENESIS = "0" * 64
ORDER = ("header", "event", "unsealed", "anchor", "key", "manifest")
MOST_PRINTED = 100
MEMBERS: dict[str, set[str]] = {
    "header": {"kind", "format", "site"},
    "event": {"kind", "sequence", "previous_hash", "hash", "payload", "row"},
    "unsealed": {"kind", "sequence", "previous_hash", "hash", "payload", "row"},
    "anchor": {"kind", "payload", "signature"},
    "key": {"kind", "payload", "signature"},
    "manifest": {"kind", "payload", "signature"},
}


@dataclass
class Export:
    """What is known of the export while its lines are read, and after the last."""

    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: int = 0
    events: int = 0
    sequence: int = 0
    head: str = GENESIS
    hashes: dict[int, str] = field(default_factory=dict)
    identities: set[str] = field(default_factory=set)
    promised: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    anchors: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    keys: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    manifest: tuple[int, dict[str, Any]] | None = None
    before_manifest: str = ""

    def find(self, line: int, sentence: str) -> None:
        """Note something wrong at a line."""
        self.findings.append(f"line {line}: {sentence}")


def canonical(values: Any) -> str:
    """Return values as JSON with sorted keys and no spaces."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_signed(public: str, payload: Any, signature: Any) -> bool:
    """Tell whether a payload carries a key's signature."""
    if not (isinstance(payload, str) and isinstance(signature, str)):
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), payload.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def verify(
    lines: Iterable[str],
    *,
    trusted: str | None = None,
    outside: Sequence[tuple[str, str]] = (),
) -> Export:
    """Read all lines and return the export with its findings.

    ``outside`` are anchors kept elsewhere, as name and content.
    """
    export = Export()
    _read(export, lines)
    public = _check_keys(export, trusted)
    _check_anchors(export, public)
    _check_manifest(export, public)
    for name, content in outside:
        _compare(export, name, content)
    return export


def _read(export: Export, lines: Iterable[str]) -> None:
    digest, place = hashlib.sha256(), 0
    for number, line in enumerate(lines, start=1):
        values = _parsed(line)
        kind = values.get("kind") if values else None
        if values is None or not isinstance(kind, str) or set(values) != MEMBERS.get(kind):
            export.find(number, "is not a line of an export, or was altered.")
            kind = None
        if export.manifest is not None:
            export.find(number, "stands after the manifest: it was added.")
        if kind is not None and values is not None:
            if ORDER.index(kind) < place or (number == 1) != (kind == "header"):
                export.find(number, f"a {kind} in the wrong place: reordered or added.")
            place = max(place, ORDER.index(kind))
            _take(export, number, kind, values)
        if export.manifest is None:
            digest.update(line.encode("utf-8", "surrogatepass"))
            export.lines = number
    export.before_manifest = digest.hexdigest()


def _parsed(line: str) -> dict[str, Any] | None:
    """Return a line's members; None unless it is written as the application writes it."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_whole = isinstance(values, dict) and canonical(values) + "\n" == line
    return values if is_whole else None


def _take(export: Export, number: int, kind: str, values: dict[str, Any]) -> None:
    if kind == "header":
        if values["format"] != FORMAT:
            export.find(number, f"the format is not {FORMAT}.")
    elif kind == "event":
        _examine_event(export, number, values)
    elif kind == "unsealed":
        export.find(number, "an entry that was never sealed, or whose seal was deleted.")
    else:
        _take_signed(export, number, kind, values)


def _take_signed(export: Export, number: int, kind: str, values: dict[str, Any]) -> None:
    stated = _object(values["payload"])
    if stated is None or stated.get("kind") != kind or not isinstance(values["signature"], str):
        export.find(number, f"what a {kind} states can't be read: altered.")
    item = (number, {**values, "stated": stated or {}})
    if kind == "anchor":
        export.anchors.append(item)
    elif kind == "key":
        export.keys.append(item)
    else:
        export.manifest = item


def _examine_event(export: Export, number: int, values: dict[str, Any]) -> None:
    """Check one seal and its entry, given the one before."""
    sequence, payload = values["sequence"], values["payload"]
    export.events += 1
    if type(sequence) is not int or not isinstance(values["hash"], str):
        export.find(number, "a seal without number or hash: altered.")
        return
    name = f"seal {sequence}"
    if sequence != export.sequence + 1:
        export.find(number, f"{name} follows seal {export.sequence}: {_gap(export, sequence)}.")
    if values["previous_hash"] != export.head:
        export.find(number, f"{name} does not continue the one before: altered or reordered.")
    if not isinstance(payload, str):
        export.find(number, f"{name}: its entry was deleted.")
    else:
        if sha256(f"{values['previous_hash']}{payload}") != values["hash"]:
            export.find(number, f"{name}: the hash does not match the entry: altered.")
        _compare_row(export, number, name, payload, values["row"])
        _note_entry(export, number, sequence, _object(payload) or {})
    export.sequence, export.head = sequence, values["hash"]
    export.hashes[sequence] = values["hash"]


def _gap(export: Export, sequence: int) -> str:
    if sequence > export.sequence + 1:
        return f"{sequence - export.sequence - 1} are missing"
    return "reordered or repeated"


def _compare_row(export: Export, number: int, name: str, payload: str, row: Any) -> None:
    """Compare the row in the database with what was sealed, and name the columns."""
    sealed, now = _object(payload), _object(row)
    if sealed is None or now is None:
        export.find(number, f"{name}: the entry can't be read: altered.")
        return
    changed = sorted(key for key in sealed | now if sealed.get(key) != now.get(key))
    if changed or row != payload:
        export.find(number, f"{name}: the row was altered in {', '.join(changed) or 'its form'}.")


def _note_entry(export: Export, number: int, sequence: int, stated: dict[str, Any]) -> None:
    """Find entries that come twice, and remember what the trail says of its anchors."""
    identity, after = str(stated.get("id")), stated.get("after")
    if identity in export.identities:
        export.find(number, f"seal {sequence}: entry {identity} comes twice.")
    export.identities.add(identity)
    if stated.get("action") == "audit.anchored" and isinstance(after, dict):
        export.promised[sequence] = (after.get("sequence"), after.get("head"))


def _object(text: Any) -> dict[str, Any] | None:
    try:
        values = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _check_keys(export: Export, trusted: str | None) -> dict[str, tuple[int, str]]:
    """Return the good keys by fingerprint, with number; each is signed by the one before."""
    good: dict[str, tuple[int, str]] = {}
    signer, before = "", None
    for count, (line, key) in enumerate(export.keys, start=1):
        stated = key["stated"]
        public = str(stated.get("public_key", ""))
        is_next = (stated.get("number"), stated.get("previous")) == (count, before)
        if not is_next or not is_signed(signer or public, key["payload"], key["signature"]):
            export.find(line, f"key {stated.get('number')} is not signed by the key before it.")
            break
        signer, before = public, hashlib.sha256(bytes.fromhex(public)).hexdigest()
        good[before] = (count, public)
    if trusted is None:
        export.notes.append("No --key given: the keys are those the export brings.")
    elif trusted not in good:
        export.findings.append(f"No key of the export has the fingerprint {trusted}: foreign keys.")
    return good


def _check_anchors(export: Export, keys: dict[str, tuple[int, str]]) -> None:
    previous, signer = GENESIS, 0
    for count, (line, anchor) in enumerate(export.anchors, start=1):
        stated = anchor["stated"]
        name = f"anchor {stated.get('number')} of {stated.get('day')}"
        number, public = keys.get(str(stated.get("key")), (0, ""))
        if not is_signed(public, anchor["payload"], anchor["signature"]):
            export.find(line, f"{name} is not signed by a key of the laboratory.")
        if number < signer:
            export.find(line, f"{name} is signed by a key that had been replaced.")
        if (stated.get("number"), stated.get("previous")) != (count, previous):
            export.find(line, f"{name} does not continue the anchor before: removed or swapped.")
        _hold_against_trail(export, line, name, stated)
        previous, signer = sha256(str(anchor["payload"])), max(number, signer)
    _check_promises(export)
    _note_days(export)


def _hold_against_trail(export: Export, line: int, name: str, stated: dict[str, Any]) -> None:
    sequence = stated.get("sequence")
    if type(sequence) is not int or sequence != stated.get("count"):
        export.find(line, f"{name} states no number of entries.")
    elif sequence > export.sequence:
        missing = sequence - export.sequence
        export.find(line, f"{name}: the trail ends {missing} entries too early: cut off.")
    elif (export.hashes.get(sequence) if sequence else GENESIS) != stated.get("head"):
        export.find(line, f"{name}: seal {sequence} is not the one that was anchored.")


def _check_promises(export: Export) -> None:
    """Every anchor that the trail says was written must be there."""
    held = [(a["stated"].get("sequence"), a["stated"].get("head")) for _, a in export.anchors]
    for sequence, promised in export.promised.items():
        if promised not in held:
            export.findings.append(f"seal {sequence} tells of an anchor that is not here: removed.")


def _note_days(export: Export) -> None:
    """Check that days only go forward, and say which have no anchor."""
    days = []
    for line, anchor in export.anchors:
        try:
            days.append((line, date.fromisoformat(str(anchor["stated"].get("day")))))
        except ValueError:
            export.find(line, "an anchor without a day.")
    for (_, before), (line, day) in pairwise(days):
        if day <= before:
            export.find(line, f"the anchor of {day} follows that of {before}.")
        for count in range(1, (day - before).days):
            export.notes.append(f"No anchor on {before + timedelta(days=count):%A %Y-%m-%d}.")


def _check_manifest(export: Export, keys: dict[str, tuple[int, str]]) -> None:
    if export.manifest is None:
        export.findings.append("The export has no manifest: its end was cut off.")
        return
    line, manifest = export.manifest
    stated = manifest["stated"]
    number, public = keys.get(str(stated.get("key")), (0, ""))
    if not is_signed(public, manifest["payload"], manifest["signature"]):
        export.find(line, "the manifest is not signed by a key of the laboratory.")
    elif number != len(keys):
        export.find(line, "the manifest is signed by a key that had been replaced.")
    counted = {
        "sha256": export.before_manifest,
        "lines": export.lines,
        "events": export.events,
        "anchors": len(export.anchors),
        "keys": len(export.keys),
        "sequence": export.sequence,
        "head": export.head,
    }
    wrong = sorted(name for name, value in counted.items() if stated.get(name) != value)
    if wrong:
        export.find(line, f"the manifest states other {', '.join(wrong)}: lines were altered.")


def _compare(export: Export, name: str, content: str) -> None:
    """Demand that an anchor kept outside stands in the export as it was."""
    kept = _object(content) or {}
    held = [(anchor["payload"], anchor["signature"]) for _, anchor in export.anchors]
    if (kept.get("payload"), kept.get("signature")) not in held:
        export.findings.append(f"{name}: this anchor kept outside is not in the export.")


def _opened(path: Path) -> Iterator[str]:
    """Yield the lines of a file, packed or not."""
    with path.open("rb") as start:
        is_packed = start.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if is_packed else path.open("rb") as file:
        for line in file:
            yield line.decode("utf-8", "surrogateescape")


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the export named on the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Verify an export of the audit trail.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--key", metavar="FINGERPRINT", help="of an audit key, noted outside")
    parser.add_argument("--anchors", type=Path, metavar="FOLDER", help="anchors kept outside")
    chosen = parser.parse_args(arguments)
    try:
        files = sorted(chosen.anchors.glob("*.json")) if chosen.anchors else []
        outside = [(file.name, file.read_text()) for file in files]
        export = verify(_opened(chosen.export), trusted=chosen.key, outside=outside)
    except (OSError, EOFError, UnicodeError, zlib.error) as error:
        sys.stderr.write(f"{chosen.export} can't be read: {error}\n")
        return 2
    return _report(export, compared=len(outside))


def _report(export: Export, *, compared: int) -> int:
    sys.stdout.write(
        f"{export.events} entries, {len(export.anchors)} anchors, {len(export.keys)} keys, "
        f"{compared} anchors from outside; head {export.head}\n"
    )
    for note in export.notes:
        sys.stdout.write(f"Note: {note}\n")
    for finding in export.findings[:MOST_PRINTED]:
        sys.stdout.write(f"FOUND {finding}\n")
    if export.findings:
        sys.stdout.write(f"The audit trail is NOT sound: {len(export.findings)} findings.\n")
        return 1
    sys.stdout.write("The audit trail is sound.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
