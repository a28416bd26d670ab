"""Plugin for tests that commit: empty the database afterwards although the audit trail resists.

Django empties it with TRUNCATE, which the trail's own triggers refuse; here, and nowhere else,
they are lifted for that statement. What the migrations seeded is put back.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations

RESISTING = {
    "accounts_auditevent": "audit_event_no_truncate",
    "accounts_auditseal": "audit_seal_no_truncate",
}


@pytest.fixture(autouse=True, scope="session")
def _emptied_after_commits() -> Iterator[None]:
    plain_flush = BaseDatabaseOperations.execute_sql_flush

    def flush(operations: BaseDatabaseOperations, statements: Iterable[str]) -> None:
        with transaction.atomic():
            _switch_triggers("DISABLE")
            plain_flush(operations, statements)
            _switch_triggers("ENABLE")
            import_module("classifier.migrations.0002_reference_intervals").add_intervals(
                apps, None
            )

    BaseDatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    yield
    BaseDatabaseOperations.execute_sql_flush = plain_flush  # type: ignore[method-assign]


def _switch_triggers(word: str) -> None:
    with connection.cursor() as cursor:
        for table, trigger in RESISTING.items():
            cursor.execute(f"ALTER TABLE {table} {word} TRIGGER {trigger}")
