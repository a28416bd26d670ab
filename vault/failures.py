"""What of the machine fails, in words for whoever waits for an answer."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import Error, InterfaceError, OperationalError

from vault.exceptions import Disposed, VaultError

READ_ONLY: Final = "25006"
DISK_FULL: Final = "53100"
"""Codes of PostgreSQL, appendix A of its manual."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A status of HTTP, and what a person is told."""

    status: int
    code: str
    heading: str
    text: str


DATABASE_READ_ONLY: Final = Failure(
    503,
    "read_only",
    "The database can only be read at the moment",
    "Nothing can be stored now, and reading a patient's record stores who read it. What you sent "
    "was not stored, and nothing that was stored before is lost. Keep what you have in hand, tell "
    "the laboratory's administrator, and try again in some minutes.",
)
DATABASE_AWAY: Final = Failure(
    503,
    "database_away",
    "The database does not answer",
    "What you sent was not stored, and nothing that was stored before is lost. Try again in some "
    "minutes, and tell the laboratory's administrator if it goes on.",
)
NO_ROOM: Final = Failure(
    507,
    "no_room",
    "The server's disk is full",
    "What you sent was not stored, and nothing that was stored before is lost. Keep it, tell the "
    "laboratory's administrator, and try again when there is room.",
)
STORE_AWAY: Final = Failure(
    503,
    "store_away",
    "Stored pictures and documents can't be had now",
    "Their store does not answer, or their keys are missing. Nothing was changed. Try again in "
    "some minutes, and tell the laboratory's administrator if it goes on.",
)


def failure_behind(error: BaseException | None) -> Failure | None:
    """Return what failed if an error, or one that it came from, is the machine's; else None."""
    for each in _chain(error):
        code = getattr(each, "pgcode", None)
        if code == READ_ONLY:
            return DATABASE_READ_ONLY
        if code == DISK_FULL or _is_full(each):
            return NO_ROOM
        if isinstance(each, Disposed):
            return Failure(410, "disposed", "Disposed of", str(each))
        if isinstance(each, VaultError):
            return STORE_AWAY
        if isinstance(each, OperationalError | InterfaceError) and not _code_of(each):
            return DATABASE_AWAY
    return None


def _is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def _code_of(error: Error) -> str:
    """PostgreSQL's code; a connection that broke or never was has none."""
    return getattr(error.__cause__, "pgcode", None) or ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
