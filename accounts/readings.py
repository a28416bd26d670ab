"""Who read a patient's record: the part of the trail that a patient may ask for."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts import audit, selectors
from accounts.models import AuditEvent
from accounts.querysets import AuditEventQuerySet

# What an action is called that shows a record, or hands it out, without changing it.
VERBS = ("viewed", "read", "downloaded", "exported", "printed")
COLUMNS = ("when", "who", "what", "about", "break_glass", "reason")
BREAK_GLASS = re.compile(r"break_?glass|emergency")


@dataclass(frozen=True, slots=True)
class Reader:
    """One person who read a record: how often, first and last, and if past their own access."""

    name: str
    count: int
    first: datetime
    last: datetime
    broke_glass: bool


def readings_of(records: Collection[UUID]) -> AuditEventQuerySet:
    """Return the readings of a patient's records, newest first, break-glass included.

    There are several where records of one person were merged.
    """
    verbs = Q(action__regex=rf"\.({'|'.join(VERBS)})$")
    glass = Q(action__regex=BREAK_GLASS.pattern)
    return selectors.list_audit_events().filter(verbs | glass, patient_id__in=records)


def is_break_glass(event: AuditEvent) -> bool:
    """Tell whether somebody read past their own access, in an emergency."""
    return bool(BREAK_GLASS.search(event.action) or BREAK_GLASS.search(event.means))


def readers_among(events: Iterable[AuditEvent]) -> list[Reader]:
    """Sum readings up by person, the latest reader first."""
    by_person: dict[Any, list[AuditEvent]] = {}
    for event in events:
        by_person.setdefault(event.actor_id, []).append(event)
    readers = [
        Reader(
            name=found[0].actor_name,
            count=len(found),
            first=min(event.at for event in found),
            last=max(event.at for event in found),
            broke_glass=any(is_break_glass(event) for event in found),
        )
        for found in by_person.values()
    ]
    return sorted(readers, key=lambda reader: reader.last, reverse=True)


def row_of(event: AuditEvent) -> tuple[str, ...]:
    """Return a reading as a table of `COLUMNS` tells it."""
    return (
        event.at.isoformat(),
        event.actor_name,
        audit.ACTIONS.get(event.action, event.action),
        event.target_label,
        "yes" if is_break_glass(event) else "",
        event.reason,
    )
