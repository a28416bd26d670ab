"""Lets tests commit: afterwards the database is restored from a copy, seeded rows included.

Django would empty every table instead, which the append-only audit trail refuses, and which
would lose what migrations seeded.
"""

from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.test import TransactionTestCase
from psycopg2.sql import SQL, Identifier


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:  # type: ignore[no-untyped-def]
    """Keep a copy of the migrated database, and put it back after each test that commits."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        name = connection.settings_dict["NAME"]
        copy = f"{name}_pristine"
        _copy_database(name, copy)
        patch.setattr(
            TransactionTestCase, "_fixture_teardown", lambda _test: _copy_database(copy, name)
        )
        yield
        _drop_database(copy)


def _copy_database(source: str, target: str) -> None:
    """Replace ``target`` by a copy of ``source``; whoever is still connected is cut off."""
    _drop_database(target)
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(
            SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(target), Identifier(source))
        )


def _drop_database(name: str) -> None:
    connections.close_all()
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
