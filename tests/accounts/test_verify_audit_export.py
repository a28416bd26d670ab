"""Whatever is done to an export is found with nothing but the export; untouched, it passes."""

import gzip
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from accounts.anchoring.export import compressed, export_lines
from accounts.anchoring.keys import read_key, rotate_key
from accounts.anchoring.models import AuditAnchor, AuditKey
from accounts.anchoring.outside import text_of
from accounts.anchoring.statements import canonical, public_text, sign
from accounts.models import User
from tests.accounts.anchoring import exported, key_file, pass_day
from tests.accounts.trail import seal, tamper
from tools.verify_audit_export import Export, verify

__all__ = ["key_file"]
TOOL = Path(__file__).parents[2] / "tools" / "verify_audit_export.py"
THOROUGHLY = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
EVENTS_BEFORE_THE_LAST_ANCHOR = 9


@pytest.fixture
def lines(key_file: Path, technician: User, administrator: User) -> list[str]:
    """An export of three anchored days, with a change of keys between."""
    pass_day(0, technician)
    pass_day(1, administrator)
    rotate_key(actor=administrator)
    pass_day(3, technician)
    return exported()


@pytest.fixture
def newest_key(lines: list[str]) -> str:
    return str(AuditKey.objects.get(number=2).fingerprint)


def _findings(lines: list[str], key: str | None = None) -> str:
    return "\n".join(verify(lines, trusted=key).findings)


def test_an_untouched_export_passes(lines: list[str], newest_key: str) -> None:
    export = verify(lines, trusted=newest_key)
    assert export.findings == []
    assert (export.events, len(export.anchors), len(export.keys)) == (10, 3, 2)
    assert export.notes == ["No anchor on Wednesday 2026-03-04."]


def test_an_empty_trail_passes(key_file: Path, db: None) -> None:
    assert _findings(exported()) == ""


# Random tampering with the file. Whoever has no key may also calculate everything anew.


def _members(line: str) -> list[tuple[str, str | None]]:
    """Return what can be altered in a line: its members, and those within what is stated."""
    values = json.loads(line)
    inner = {name: json.loads(values[name]) for name in ("payload", "row") if values.get(name)}
    within = [(name, part) for name, object_ in inner.items() for part in object_]
    return [(name, None) for name in values] + within


OTHER = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["0" * 64, [], ["a"], {}, {"kind": "event"}, True, 1.5, "ab" * 64]),
)


@st.composite
def tampered(draw: st.DrawFn, lines: list[str]) -> list[str]:
    """Alter, delete, insert, swap, duplicate or cut, once or a few times."""
    copy = list(lines)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(copy) - 1))
        other = draw(st.integers(0, len(copy) - 1))
        way = draw(st.sampled_from(["alter", "delete", "insert", "swap", "double", "cut", "byte"]))
        if way == "alter":
            copy[place] = _altered(draw, copy[place])
        elif way == "delete":
            del copy[place]
        elif way == "insert":
            copy.insert(place, _altered(draw, copy[other]))
        elif way == "swap":
            copy[place], copy[other] = copy[other], copy[place]
        elif way == "double":
            copy.insert(other, copy[place])
        elif way == "cut":
            del copy[place:]
        else:
            at = draw(st.integers(0, len(copy[place]) - 1))
            copy[place] = copy[place][:at] + draw(st.text(max_size=2)) + copy[place][at + 1 :]
        assume(copy)
        if any(_broken(line) for line in copy):
            break
    assume("".join(copy) != "".join(lines))
    return copy


def _broken(line: str) -> bool:
    try:
        values = json.loads(line)
        return not isinstance(values, dict) or not values
    except ValueError:
        return True


def _altered(draw: st.DrawFn, line: str) -> str:
    values = json.loads(line)
    try:
        name, part = draw(st.sampled_from(_members(line)))
    except (ValueError, TypeError, AttributeError):
        name, part = "kind", None
    value = draw(OTHER)
    if part is None:
        values[name] = value
    else:
        values[name] = canonical({**json.loads(values[name]), part: value})
    return canonical(values) + "\n"


@THOROUGHLY
@given(data=st.data())
def test_tampering_with_the_file_is_found(
    lines: list[str], newest_key: str, data: st.DataObject
) -> None:
    copy = data.draw(tampered(lines))
    assert _findings(copy, newest_key)


@THOROUGHLY
@given(data=st.data(), keeps_numbers=st.booleans(), has_own_key=st.booleans())
def test_tampering_and_sealing_anew_without_the_key_is_found(
    lines: list[str],
    newest_key: str,
    data: st.DataObject,
    keeps_numbers: bool,
    has_own_key: bool,
) -> None:
    copy = data.draw(tampered(lines))
    assume(not any(_broken(line) for line in copy))
    own = Ed25519PrivateKey.from_private_bytes(bytes(32)) if has_own_key else None
    forged = _sealed_anew(copy, keeps_numbers=keeps_numbers, manifest_key=own)
    assume(forged != lines)
    assert _findings(forged, newest_key)


def _sealed_anew(
    lines: list[str], *, keeps_numbers: bool = False, manifest_key: Ed25519PrivateKey | None
) -> list[str]:
    """Calculate every hash, row and the manifest anew, as an attacker would."""
    copy, previous, count = [], "0" * 64, 0
    for line in lines:
        values = json.loads(line)
        if values.get("kind") == "event" and isinstance(values.get("payload"), str):
            count += 1
            values["previous_hash"] = previous
            if not keeps_numbers:
                values["sequence"] = count
            values["row"] = values["payload"]
            previous = hashlib.sha256((previous + values["payload"]).encode()).hexdigest()
            values["hash"] = previous
        copy.append(canonical(values) + "\n")
    return _with_manifest(copy, manifest_key)


def _with_manifest(lines: list[str], key: Ed25519PrivateKey | None) -> list[str]:
    *body, last = lines
    values = json.loads(last)
    if values.get("kind") != "manifest" or not isinstance(values.get("payload"), str):
        return lines
    try:
        stated = json.loads(values["payload"])
    except ValueError:
        return lines
    export = verify(body)
    if not isinstance(stated, dict):
        return lines
    stated |= {
        "sha256": hashlib.sha256("".join(body).encode("utf-8", "surrogatepass")).hexdigest(),
        "lines": len(body),
        "events": export.events,
        "anchors": len(export.anchors),
        "keys": len(export.keys),
        "sequence": export.sequence,
        "head": export.head,
    }
    values["payload"] = canonical(stated)
    if key is not None:
        values["signature"] = sign(key, values["payload"])
    return [*body, canonical(values) + "\n"]


# An owner of the database seals everything anew there; then the laboratory itself exports, and
# signs the manifest. What an anchor covers can't be changed so.


@THOROUGHLY
@given(data=st.data())
def test_what_was_anchored_cannot_be_sealed_anew_in_the_database(
    lines: list[str], key_file: Path, newest_key: str, data: st.DataObject
) -> None:
    header, events, rest = lines[0], lines[1:11], lines[11:]
    covered, later = (
        events[:EVENTS_BEFORE_THE_LAST_ANCHOR],
        events[EVENTS_BEFORE_THE_LAST_ANCHOR:],
    )
    copy = data.draw(_rewritten(covered))
    assume(copy != covered)
    forged = _sealed_anew([header, *copy, *later, *rest], manifest_key=read_key(key_file))
    assert _findings(forged, newest_key)


@st.composite
def _rewritten(draw: st.DrawFn, events: list[str]) -> list[str]:
    copy = list(events)
    place, other = draw(st.integers(0, len(copy) - 1)), draw(st.integers(0, len(copy) - 1))
    way = draw(st.sampled_from(["alter", "delete", "swap", "double"]))
    if way == "alter":
        values = json.loads(copy[place])
        stated = json.loads(values["payload"])
        stated[draw(st.sampled_from(sorted(stated)))] = draw(OTHER)
        copy[place] = canonical({**values, "payload": canonical(stated)}) + "\n"
    elif way == "delete":
        del copy[place]
    elif way == "swap":
        copy[place], copy[other] = copy[other], copy[place]
    else:
        copy.insert(other, copy[place])
    return copy


def test_a_tail_cut_in_the_database_is_found(lines: list[str], newest_key: str) -> None:
    tamper("DELETE FROM accounts_auditseal WHERE sequence > 8")
    tamper("DELETE FROM accounts_auditevent e WHERE NOT EXISTS"
           " (SELECT 1 FROM accounts_auditseal s WHERE s.event_id = e.id)")  # fmt: skip
    assert "the trail ends 1 entries too early: cut off" in _findings(exported(), newest_key)


def test_an_anchor_deleted_from_the_database_is_found(lines: list[str], newest_key: str) -> None:
    tamper("ALTER TABLE accounts_auditanchor DISABLE TRIGGER USER")
    tamper("DELETE FROM accounts_auditanchor WHERE number = 3")
    assert "tells of an anchor that is not here: removed" in _findings(exported(), newest_key)


def test_anchors_swapped_are_found(lines: list[str], newest_key: str, key_file: Path) -> None:
    copy = list(lines)
    copy[11], copy[12] = copy[12], copy[11]
    forged = _with_manifest(copy, read_key(key_file))
    assert "does not continue the anchor before: removed or swapped" in _findings(forged)


def test_foreign_keys_throughout_are_found_by_the_fingerprint_noted_outside(
    lines: list[str], newest_key: str, key_file: Path
) -> None:
    """All keys and signatures made anew: sound in itself, but not with the laboratory's key."""
    foreign = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    copy, previous = [], "0" * 64
    public = public_text(foreign)
    fingerprint = hashlib.sha256(bytes.fromhex(public)).hexdigest()
    for line in [line for line in lines if '"number":2,"previous":"' not in line]:
        values = json.loads(line)
        if values["kind"] in {"anchor", "key", "manifest"}:
            stated = json.loads(values["payload"].replace("\\", ""))
            if values["kind"] == "anchor":
                stated |= {"key": fingerprint, "previous": previous}
            elif values["kind"] == "key":
                if stated["number"] != 1:
                    continue
                stated |= {"public_key": public}
            else:
                stated |= {"key": fingerprint}
            values["payload"] = canonical(stated)
            if values["kind"] == "anchor":
                previous = hashlib.sha256(values["payload"].encode()).hexdigest()
            values["signature"] = sign(foreign, values["payload"])
        copy.append(canonical(values) + "\n")
    forged = _with_manifest(copy, foreign)
    assert _findings(forged) == ""
    assert "foreign keys" in _findings(forged, newest_key)
    kept = text_of(AuditAnchor.objects.get(number=1))
    export: Export = verify(forged, outside=[("anchor-1.json", kept)])
    assert export.findings == ["anchor-1.json: this anchor kept outside is not in the export."]


def test_the_program_needs_nothing_of_the_application(
    lines: list[str], newest_key: str, tmp_path: Path, key_file: Path
) -> None:
    """Copied elsewhere, with a packed export and anchors from outside: 0, 1 and 2."""
    program = tmp_path / "alone" / "verify.py"
    program.parent.mkdir()
    program.write_bytes(TOOL.read_bytes())
    seal()
    (tmp_path / "trail.jsonl.gz").write_bytes(b"".join(compressed(export_lines())))
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.json").write_text(text_of(AuditAnchor.objects.get(number=2)))
    run = _run(
        program, tmp_path / "trail.jsonl.gz", "--key", newest_key, "--anchors", tmp_path / "kept"
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("The audit trail is sound.\n")

    bad = tmp_path / "bad.jsonl"
    text = gzip.decompress((tmp_path / "trail.jsonl.gz").read_bytes()).decode()
    bad.write_text(text.replace("user.changed", "user.renamed", 1))
    run = _run(program, bad)
    assert run.returncode == 1
    assert "FOUND line 2: seal 1: the hash does not match the entry: altered." in run.stdout
    assert _run(program, tmp_path / "none").returncode == 2
    cut = tmp_path / "cut.gz"
    cut.write_bytes((tmp_path / "trail.jsonl.gz").read_bytes()[:-40])
    assert _run(program, cut).returncode == 2


def test_the_command_writes_the_export_once(lines: list[str], tmp_path: Path) -> None:
    for name in ("trail.jsonl", "trail.jsonl.gz"):
        call_command("export_audit", str(tmp_path / name), stdout=io.StringIO())
    plain = (tmp_path / "trail.jsonl").read_text()
    assert plain.startswith(lines[0])
    assert gzip.decompress((tmp_path / "trail.jsonl.gz").read_bytes()).startswith(b'{"format"')
    with pytest.raises(CommandError, match="exists"):
        call_command("export_audit", str(tmp_path / "trail.jsonl"))


def _run(program: Path, *arguments: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def test_the_page_sends_the_export(
    lines: list[str], client_for: Callable[[User], Client], administrator: User
) -> None:
    client = client_for(administrator)
    seal()
    response = client.get("/administration/audit/whole/")
    text = gzip.decompress(response.getvalue()).decode()
    sent = [f"{line}\n" for line in text.split("\n")[:-1]]
    # The export's own entry is written in the test's one transaction, and not sealed yet.
    unsealed = [line for line in sent if '"kind":"unsealed"' in line]
    assert ["audit.exported_whole" in line for line in unsealed] == [True]


def test_without_the_key_the_page_says_why(
    lines: list[str], client_for: Callable[[User], Client], administrator: User, key_file: Path
) -> None:
    key_file.unlink()
    response = client_for(administrator).get("/administration/audit/whole/")
    assert response.status_code == 503
    assert "be read" in response.content.decode()
