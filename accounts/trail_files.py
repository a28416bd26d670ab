"""The trail as files: CSV that no spreadsheet runs, and JSON lines."""

import csv
import json
from collections.abc import Iterable, Iterator

from accounts import audit, selectors
from accounts.formulas import inert
from accounts.models import AuditEvent

COLUMNS = (
    "seal",
    "at",
    "actor",
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
    "hash",
)


class _Line:
    """A file for the CSV writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Iterable[object]], columns: Iterable[str]) -> Iterator[str]:
    """Yield rows as CSV; a text that a spreadsheet would run gets an apostrophe."""
    writer = csv.writer(_Line())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([inert(str(value)) for value in row])


def event_rows(events: Iterable[AuditEvent]) -> Iterator[tuple[object, ...]]:
    """Yield each event's columns with its seal."""
    for event in events:
        yield _values(event)


def json_lines(events: Iterable[AuditEvent]) -> Iterator[str]:
    """Yield each event as one line of JSON, with its seal's number and hash."""
    for event in events:
        seal = getattr(event, "seal", None)
        sealed = {"seal": seal.sequence, "hash": seal.hash} if seal else {"seal": None}
        values = {**json.loads(audit.canonical_payload(event)), **sealed}
        yield json.dumps(values, ensure_ascii=False, sort_keys=True) + "\n"


def _values(event: AuditEvent) -> tuple[object, ...]:
    seal = getattr(event, "seal", None)
    return (
        seal.sequence if seal else "",
        event.at.isoformat(),
        event.actor_name,
        event.action,
        event.target_type,
        event.target_id,
        event.target_label,
        event.patient_id or "",
        "" if event.before is None else selectors.as_text(event.before),
        "" if event.after is None else selectors.as_text(event.after),
        event.reason,
        event.request_id,
        event.client_address or "",
        event.means,
        seal.hash if seal else "",
    )
