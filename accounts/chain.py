"""Verification of the audit trail: recomputes every seal and compares every column."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db import connection, transaction

from accounts.audit import canonical_payload
from accounts.models import AuditEvent, AuditSeal

_COLUMNS = (
    "id",
    "at",
    "actor_id",
    "actor_name",
    "action",
    "target_type",
    "target_id",
    "target_label",
    "patient_id",
    "before",
    "after",
    "reason",
    "request_id",
    "client_address",
    "means",
    "payload",
)
# One statement sees one moment, however many events are written meanwhile. The join keeps
# seals whose event is gone and events without a seal.
_LINKS = f"""
    SELECT s.sequence, s.event_id, s.previous_hash, s.hash,
           {", ".join(f"host(e.{c})" if c == "client_address" else f"e.{c}" for c in _COLUMNS)}
    FROM accounts_auditseal s FULL JOIN accounts_auditevent e ON e.id = s.event_id
"""  # noqa: S608
_ALL = f"{_LINKS} ORDER BY s.sequence NULLS LAST, e.at"
_LATER = f"{_LINKS} WHERE s.sequence > %s ORDER BY s.sequence"

MOST_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Link:
    """A seal and its event; either may be missing."""

    sequence: int | None
    event_id: Any
    previous_hash: str
    hash: str
    event: AuditEvent | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found: events counted, head of the chain, and every discrepancy."""

    count: int
    head: str
    findings: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_chain(*, expected_head: str | None = None) -> Verdict:
    """Recompute the whole trail; with an anchor noted earlier, also demand that it is in it.

    Without an anchor, somebody able to switch the triggers off could cut off the newest
    events, or rebuild every seal from some point on, and leave a sound chain behind.
    """
    findings: list[str] = []
    count, head, sequence = 0, AuditSeal.GENESIS, 0
    is_anchored = expected_head is None or expected_head == AuditSeal.GENESIS
    for link in links():
        count += link.event is not None
        found = _examine(link, sequence, head)
        findings += found[: MOST_FINDINGS - len(findings)]
        if link.sequence is not None:
            sequence, head = link.sequence, link.hash
            is_anchored = is_anchored or (link.hash == expected_head and not findings)
    if not is_anchored:
        findings.append(
            f"The expected head {expected_head} is not in the sound part of the chain: events up "
            "to it were removed, altered or sealed anew."
        )
    return Verdict(count, head, tuple(findings))


def verify_since(*, sequence: int, head: str) -> Verdict:
    """Recompute what was added since a seal noted earlier, and demand that this seal is there.

    ``count`` counts the seals since then.
    """
    if sequence and not AuditSeal.objects.filter(sequence=sequence, hash=head).exists():
        return Verdict(0, head, (f"Seal {sequence} is not what it was: altered or removed.",))
    findings: list[str] = []
    count = 0
    for link in links(after=sequence):
        found = _examine(link, sequence, head)
        findings += found[: MOST_FINDINGS - len(findings)]
        count += 1
        sequence, head = link.sequence or sequence, link.hash
    return Verdict(count, head, tuple(findings))


def current_head() -> tuple[int, str]:
    """Return the number of the newest seal and its hash, without verifying anything."""
    seal = AuditSeal.objects.order_by("-sequence").first()
    return (seal.sequence, seal.hash) if seal else (0, AuditSeal.GENESIS)


def _examine(link: Link, sequence: int, head: str) -> list[str]:
    """Return what is wrong with one link, given the one before it."""
    if link.sequence is None:
        return [f"Event {link.event_id} was never sealed, or its seal was deleted."]
    name = f"Seal {link.sequence}"
    findings = []
    if link.sequence != sequence + 1:
        findings.append(f"Seals {sequence + 1} to {link.sequence - 1} are missing.")
    elif link.previous_hash != head:
        findings.append(f"{name} does not continue the seal before it: altered or reordered.")
    if link.event is None:
        findings.append(f"{name}: its event {link.event_id} was deleted.")
        return findings
    content = (link.previous_hash + link.event.payload).encode()
    if hashlib.sha256(content).hexdigest() != link.hash:
        findings.append(f"{name}: the hash does not match event {link.event_id}: altered.")
    altered = _altered_columns(link.event)
    if altered:
        findings.append(f"{name}: event {link.event_id} was altered in {', '.join(altered)}.")
    return findings


def _altered_columns(event: AuditEvent) -> list[str]:
    """Return the names whose column differs from the sealed payload."""
    try:
        sealed = json.loads(event.payload)
    except ValueError:
        return ["payload"]
    columns = json.loads(canonical_payload(event))
    if not isinstance(sealed, dict):
        return ["payload"]
    return sorted(key for key in columns | sealed if columns.get(key) != sealed.get(key))


def links(*, after: int | None = None) -> Iterator[Link]:
    """Stream the trail in the order of its seals, through a cursor held by the server.

    ``after`` leaves out the seals up to that number, and what has no seal.
    """
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(*((_ALL,) if after is None else (_LATER, [after])))
        for sequence, event_id, previous_hash, digest, *columns in cursor:
            event = _event(dict(zip(_COLUMNS, columns, strict=True)))
            yield Link(sequence, event_id or (event and event.id), previous_hash, digest, event)


def _event(values: dict[str, Any]) -> AuditEvent | None:
    if values["id"] is None:
        return None
    for name in ("before", "after"):
        values[name] = None if values[name] is None else json.loads(values[name])
    values["at"] = values["at"].astimezone(UTC)
    return AuditEvent(**values)
