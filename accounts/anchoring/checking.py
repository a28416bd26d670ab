"""Checking the anchors against the trail, the keys and the copies outside."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from django.utils import timezone

from accounts.anchoring import outside
from accounts.anchoring.models import AuditAnchor, AuditKey
from accounts.anchoring.statements import GENESIS, digest, fingerprint, is_signed_by
from accounts.models import AuditSeal


@dataclass(frozen=True, slots=True)
class CheckedAnchor:
    """An anchor, what is wrong with it, and how its copy outside compares."""

    anchor: AuditAnchor
    findings: tuple[str, ...]
    copy: outside.Copy


def check_keys() -> dict[str, str]:
    """Return the good public keys by fingerprint: each signed by the one before, none skipped."""
    good: dict[str, str] = {}
    signer: str | None = None
    for number, key in enumerate(AuditKey.objects.order_by("number"), start=1):
        stated = json.loads(key.payload)
        public = stated["public_key"]
        previous = fingerprint(signer) if signer else None
        is_next = (key.number, stated["number"], stated["previous"]) == (number, number, previous)
        is_own = key.fingerprint == fingerprint(public)
        if not (is_next and is_own and is_signed_by(signer or public, key.payload, key.signature)):
            break
        good[key.fingerprint] = signer = public
    return good


def check_anchors() -> list[CheckedAnchor]:
    """Check every anchor against keys, neighbours, trail and outside copies; newest first."""
    anchors = list(AuditAnchor.objects.order_by("number"))
    keys = check_keys()
    sequences = [anchor.sequence for anchor in anchors]
    heads = dict(AuditSeal.objects.filter(pk__in=sequences).values_list("sequence", "hash"))
    checked = []
    previous = GENESIS
    for number, anchor in enumerate(anchors, start=1):
        findings = tuple(_examine(anchor, number, previous, keys, heads))
        checked.append(CheckedAnchor(anchor, findings, outside.compare(anchor)))
        previous = digest(anchor.payload)
    return checked[::-1]


def findings() -> list[str]:
    """Return what is wrong with any anchor, as sentences."""
    sentences = []
    for item in reversed(check_anchors()):
        name = f"Anchor {item.anchor.number} of {item.anchor.day}"
        sentences += [f"{name}: {finding}" for finding in item.findings]
        if item.copy == outside.Copy.DIFFERS:
            sentences.append(f"{name}: its copy outside is another.")
    return sentences


def missing_days(days: Iterable[date], *, until: date | None = None) -> list[date]:
    """Return the days since the first anchor, before ``until`` (today), that have none."""
    known = set(days)
    if not known:
        return []
    end = until or timezone.now().astimezone(UTC).date()
    first = min(known)
    span = (first + timedelta(days=count) for count in range((end - first).days))
    return [day for day in span if day not in known]


def _examine(
    anchor: AuditAnchor, number: int, previous: str, keys: dict[str, str], heads: dict[int, str]
) -> Iterator[str]:
    stated = json.loads(anchor.payload)
    columns = (anchor.number, anchor.day.isoformat(), anchor.sequence, anchor.head, anchor.key_id)
    signer = AuditKey.objects.filter(fingerprint=stated.get("key")).first()
    signed = tuple(stated.get(name) for name in ("number", "day", "sequence", "head"))
    if columns[:4] != signed or signer is None or signer.number != anchor.key_id:
        yield "its columns are not what was signed."
    if anchor.number != number or stated.get("previous") != previous:
        yield "it does not continue the anchor before it."
    public = keys.get(stated.get("key", ""))
    if public is None or not is_signed_by(public, anchor.payload, anchor.signature):
        yield "its signature is not the laboratory's."
    if heads.get(anchor.sequence, GENESIS if anchor.sequence == 0 else None) != anchor.head:
        yield f"the trail's entry {anchor.sequence} is not what was anchored."
