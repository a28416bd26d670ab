"""Lets tests commit: afterwards the database is restored from a copy, seeded rows included.

Django would empty every table instead, which the append-only audit trail refuses, and which
would lose what migrations seeded.
"""

from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
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
    with connection._nodb_cursor() as cursor:
        quote = connection.ops.quote_name
        cursor.execute(f"CREATE DATABASE {quote(target)} TEMPLATE {quote(source)}")


def _drop_database(name: str) -> None:
    """Drop it, cutting off our own connections; PostgreSQL itself sends its autovacuum away.

    ``WITH (FORCE)`` would refuse while autovacuum, a superuser's process, looks at the database.
    """
    connections.close_all()
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND usename = current_user",
            [name],
        )
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")
