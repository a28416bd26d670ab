"""Bring database, static files and the demonstration laboratory to what this version needs."""

import argparse
import hashlib
import os
import sys
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import django
import redis
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from hematovision.settings import environment


def main(arguments: list[str]) -> int:
    """Prepare the site; an expected failure is one sentence and status 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="seed an empty database")
    parser.add_argument("--images", type=Path, help="pictures for the demonstration")
    parser.add_argument("--accounts", type=Path, help="file for what the user is to be told")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hematovision.settings")
    django.setup()
    try:
        prepare(options)
    except CommandError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def prepare(options: argparse.Namespace) -> None:
    """Do each step; one that fails as it may, raises ``CommandError`` with a sentence."""
    check_database()
    check_redis()
    _say("Applying database migrations")
    call_command("migrate", interactive=False, verbosity=0)
    register_model()
    collect_static()
    if options.demo:
        seed_demo(images=options.images, accounts=options.accounts)


def check_database() -> None:
    """Say why the database cannot be used, if it cannot."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        place = urlsplit(environment.DATABASE_URL)
        where = f"{place.hostname or 'this machine'}:{place.port or 5432}"
        raise CommandError(
            f"The database at {where} (DATABASE_URL) cannot be used: {_first_line(error)}"
        ) from error


def check_redis() -> None:
    """Say why Redis cannot be used, if it cannot."""
    try:
        with redis.Redis.from_url(environment.REDIS_URL, socket_timeout=10) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        where = urlsplit(environment.REDIS_URL).hostname
        raise CommandError(
            f"Redis at {where} (REDIS_URL) cannot be used: {_first_line(error)}"
        ) from error


def register_model() -> None:
    """Make the installed release known; a broken one doesn't keep people from their cases."""
    _say("Registering the classifier's release")
    try:
        call_command("register_model", verbosity=0)
    except CommandError as problem:
        sys.stderr.write(f"WARNING: {problem} Cases can still be opened, read and reviewed.\n")


def collect_static() -> None:
    """Gather and compress the static files, unless they are as they were."""
    seen = settings.STATIC_ROOT / ".collected"
    wanted = _static_fingerprint()
    if seen.exists() and seen.read_text() == wanted:
        return
    _say("Collecting static files")
    unused = ["redoc", "rest_framework"]  # pages that are not served here
    call_command(
        "collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=unused
    )
    seen.write_text(wanted)


def _static_fingerprint() -> str:
    """Return a digest over names, sizes and times of all static files."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def seed_demo(*, images: Path | None, accounts: Path | None) -> None:
    """Fill an empty database, and keep what the command tells for when the site answers."""
    told = StringIO()
    _say("Looking after the demonstration laboratory")
    call_command("seed_demo", images=images, stdout=told)
    if accounts:
        accounts.write_text(told.getvalue())


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _say(text: str) -> None:
    sys.stdout.write(f"{text} ...\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
