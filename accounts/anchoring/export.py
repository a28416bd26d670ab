"""The whole trail for verification elsewhere: one file of JSON lines that needs nothing else."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from accounts.anchoring.keys import current_key
from accounts.anchoring.models import AuditAnchor, AuditKey
from accounts.anchoring.statements import canonical, sign
from accounts.audit import canonical_payload
from accounts.chain import Link, links

FORMAT = "hematovision-audit-1"


def export_lines() -> Iterator[str]:
    """Yield the export: header, entries with their seals, anchors, keys, signed manifest.

    Each line is canonical JSON. The manifest signs the SHA-256 of all lines before it, and
    how many there are of each kind.
    """
    key, private = current_key()
    hashed, counts = hashlib.sha256(), {"lines": 0, "events": 0, "anchors": 0, "keys": 0}
    head = {"sequence": 0, "head": "0" * 64}
    for values in _lines():
        line = canonical(values) + "\n"
        hashed.update(line.encode())
        counts["lines"] += 1
        name = f"{values['kind']}s"
        if name in counts:
            counts[name] += 1
        if values["kind"] == "event":
            head = {"sequence": values["sequence"], "head": values["hash"]}
        yield line
    payload = canonical(
        {
            "kind": "manifest",
            "format": FORMAT,
            "at": timezone.now().isoformat(timespec="microseconds"),
            "sha256": hashed.hexdigest(),
            "key": key.fingerprint,
            **counts,
            **head,
        }
    )
    yield canonical({"kind": "manifest", "payload": payload, "signature": sign(private, payload)})
    yield "\n"


def compressed(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield the lines as one gzip file."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for line in lines:
        if packed := packer.compress(line.encode()):
            yield packed
    yield packer.flush()


def _lines() -> Iterator[dict[str, Any]]:
    yield {"kind": "header", "format": FORMAT, "site": settings.SITE_URL}
    known = AuditAnchor.objects.aggregate(number=Max("number"))["number"] or 0
    last = 0
    for link in links():
        last = link.sequence or last
        yield _entry(link)
    # One written while the entries were read may point past their end; those before it may not.
    for anchor in AuditAnchor.objects.order_by("number"):
        if anchor.number <= known or anchor.sequence <= last:
            yield {"kind": "anchor", "payload": anchor.payload, "signature": anchor.signature}
    for key in AuditKey.objects.order_by("number"):
        yield {"kind": "key", "payload": key.payload, "signature": key.signature}


def _entry(link: Link) -> dict[str, Any]:
    """Return a seal with its event: what was sealed, and the row as it is now."""
    event = link.event
    return {
        "kind": "event" if link.sequence is not None else "unsealed",
        "sequence": link.sequence,
        "previous_hash": link.previous_hash,
        "hash": link.hash,
        "payload": event.payload if event else None,
        "row": canonical_payload(event) if event else None,
    }
