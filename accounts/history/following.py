"""Which tables are followed, and the triggers that follow them.

Every ``manage.py migrate`` brings the triggers in step with what the applications register.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction

PREFIX = "row_history_"


@dataclass(frozen=True, slots=True)
class Followed:
    """A table whose rows have a history.

    ``ignored`` columns may change unseen (when somebody last signed in); of ``secret`` ones a
    part of their hash is kept. Rows that are added are noted with ``with_inserts``: not where
    a case brings thousands, which stay where they are anyway.
    """

    table: str
    key: str = "id"
    ignored: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    with_inserts: bool = True


FOLLOWED: dict[str, Followed] = {}

_OPERATIONS = {
    "update": ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows", "accounts_note_updates"),
    "delete": ("DELETE", "OLD TABLE AS old_rows", "accounts_note_deletes"),
    "insert": ("INSERT", "NEW TABLE AS new_rows", "accounts_note_inserts"),
    "truncate": ("TRUNCATE", "", "accounts_note_truncate"),
}


def follow(*tables: Followed) -> None:
    """Register tables; the same table can't be followed in two ways."""
    for table in tables:
        if FOLLOWED.setdefault(table.table, table) != table:
            raise ValueError(f"{table.table} is followed in another way already.")


@transaction.atomic
def install_triggers() -> None:
    """Create what is missing and drop what is no longer wanted; safe to repeat."""
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        wanted = dict(_wanted(table for name, table in FOLLOWED.items() if name in there))
        standing = _standing()
        for name, table in standing.items() - {(name, wanted[name][0]) for name in wanted}:
            cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
        for name in wanted.keys() - standing.keys():
            for statement in wanted[name][1]:
                cursor.execute(statement)


def switched_off() -> list[str]:
    """Return the tables whose history is incomplete: a trigger is missing or disabled."""
    wanted = dict(_wanted(FOLLOWED.values()))
    enabled = _standing(enabled_only=True)
    return sorted({table for name, (table, _) in wanted.items() if name not in enabled})


def _standing(*, enabled_only: bool = False) -> dict[str, str]:
    """Return the triggers that are there, with their tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE tgname LIKE %s AND (NOT %s OR tgenabled = 'A')",
            [f"{PREFIX}%", enabled_only],
        )
        return dict(cursor.fetchall())


def _wanted(tables: Iterable[Followed]) -> Iterator[tuple[str, tuple[str, list[str]]]]:
    """Yield each trigger's name, table and statements; the name changes with the definition."""
    for table in tables:
        for operation, (event, referencing, function) in _OPERATIONS.items():
            if operation == "insert" and not table.with_inserts:
                continue
            arguments = ", ".join(
                f"'{value}'"
                for value in (
                    table.key,
                    f"{{{','.join(table.ignored)}}}",
                    f"{{{','.join(table.secret)}}}",
                )
            )
            clause = f"REFERENCING {referencing}" if referencing else ""
            body = (
                f'AFTER {event} ON "{table.table}" {clause}'
                f" FOR EACH STATEMENT EXECUTE FUNCTION {function}({arguments})"
            )
            mark = hashlib.sha256(body.encode()).hexdigest()[:8]
            name = f"{PREFIX}{operation}_{mark}"
            # Always: not even a session that calls itself a replica escapes.
            enable = f'ALTER TABLE "{table.table}" ENABLE ALWAYS TRIGGER "{name}"'
            yield name, (table.table, [f'CREATE TRIGGER "{name}" {body}', enable])
