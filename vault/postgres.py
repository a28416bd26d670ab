"""PostgreSQL's own programs for copies of the database, and what tells two databases apart."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

from django.conf import settings
from django.db import connection, transaction
from psycopg2.extensions import make_dsn

from vault.exceptions import CopyFailed

_AT_ONCE: Final = 1024 * 1024
_FINGERPRINT: Final = """
    SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint::numeric), 0)
    FROM {table} t
"""
Fingerprints = dict[str, tuple[int, str]]


@contextmanager
def snapshot() -> Iterator[str]:
    """Hold one moment of the database; gives the id by which other sessions see it too."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (name,) = cursor.fetchone()
        yield str(name)


def fingerprints() -> Fingerprints:
    """Return for each table how many rows it has, and a sum over their hashes, order aside."""
    found: Fingerprints = {}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'UTC'")
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(_FINGERPRINT.format(table=connection.ops.quote_name(table)))
            count, total = cursor.fetchone()
            found[table] = int(count), str(total)
    return found


@contextmanager
def dumping(snapshot_id: str) -> Iterator[Iterator[bytes]]:
    """Give the dump of a snapshot, block by block; nothing of it touches a disk here."""
    arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot_id}"]
    with _running("pg_dump", arguments, stdout=subprocess.PIPE) as process:
        output = cast("IO[bytes]", process.stdout)
        yield iter(lambda: output.read(_AT_ONCE), b"")


def load(blocks: Iterator[bytes]) -> None:
    """Put a dump into the database, whole or not at all."""
    arguments = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    with _running("pg_restore", arguments, stdin=subprocess.PIPE) as process:
        target = cast("IO[bytes]", process.stdin)
        for block in blocks:
            target.write(block)


def clear() -> None:
    """Drop what migrations made in a database that holds nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("DROP OWNED BY CURRENT_USER CASCADE")
        cursor.execute("CREATE SCHEMA IF NOT EXISTS public")
    connection.close()


@contextmanager
def _running(
    program: str,
    arguments: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program on the database; the password is in its environment, not in its arguments."""
    connection.ensure_connection()
    info = connection.connection.info
    target = make_dsn(**info.dsn_parameters)
    process = subprocess.Popen(
        [_found(program), *arguments, f"--dbname={target}"],
        env=os.environ | ({"PGPASSWORD": info.password} if info.password else {}),
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    except BrokenPipeError:
        pass  # it has ended, and says why below
    except BaseException:
        process.kill()
        raise
    finally:
        complaint = process.communicate()[1]
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise CopyFailed(f"{program} failed: {lines[0] if lines else process.returncode}")


def _found(program: str) -> str:
    """The program of the embedded PostgreSQL, else the system's."""
    own = settings.POSTGRES_PROGRAMS and Path(settings.POSTGRES_PROGRAMS) / program
    return str(own) if own and own.exists() else program
