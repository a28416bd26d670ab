"""Lets tests commit: afterwards the database is restored from a copy, seeded rows included.

Django would empty every table instead, which the append-only audit trail refuses, and which
would lose what migrations seeded. On servers of the tests' own the copy stays for the next run,
which then migrates nothing unless the migrations are others.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from accounts import roles
from accounts.history import following
from tests.servers import is_database_own


@pytest.fixture(scope="session")
def django_db_keepdb(
    django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> bool:
    """Start from what an earlier run migrated, if it's there; Django brings it up to date."""
    with django_db_blocker.unblock():
        name = connection.creation._get_test_db_name()  # type: ignore[attr-defined]
        is_there = _copy_of(name) in _databases()
        if is_there:
            _copy_database(_copy_of(name), name)
    return is_there


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep a copy of the migrated database, and put it back after each test that commits."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        name = connection.settings_dict["NAME"]
        copy = _copy_of(name)
        _copy_database(name, copy)
        if is_database_own():
            _drop_copies(name, but=copy)
        patch.setattr(
            TransactionTestCase, "_fixture_teardown", lambda _test: _copy_database(copy, name)
        )
        yield
        if not is_database_own():
            _drop_database(copy)


def _copy_of(name: str) -> str:
    """The copy's name, another one after any change of migrations or of what migrating installs."""
    folders = [Path(app.path) / "migrations" for app in apps.get_app_configs()]
    sources = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    digest = hashlib.sha256()
    for path in (*sources, Path(roles.__file__), Path(following.__file__)):
        digest.update(path.read_bytes())
    digest.update(repr(sorted(following.FOLLOWED.items())).encode())
    return f"{name}_{digest.hexdigest()[:12]}"


def _drop_copies(name: str, *, but: str) -> None:
    """Drop what runs with other migrations left."""
    for other in _databases():
        if other.startswith(f"{name}_") and other != but:
            _drop_database(other)


def _databases() -> list[str]:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return [name for (name,) in cursor.fetchall()]


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
