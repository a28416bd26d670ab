"""Keeping a claim while the work goes on, whatever transaction the work itself is in.

A backup holds the database at one moment for as long as it takes, and can write nothing
meanwhile. So a thread with a connection of its own renews the lease and tells the progress.
"""

import logging
import threading
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from django.db import DatabaseError, connection
from django.db.models.functions import Now

from vault.enums import JobStatus
from vault.models import VaultJob

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=120)
EVERY_SECONDS: Final = 2.0


class ClaimLost(Exception):
    """The work is somebody else's by now; whoever had it stops."""


class Holding:
    """A claim on a job that is renewed as long as the block lasts."""

    def __init__(self, job: VaultJob) -> None:
        self._mine = VaultJob.objects.filter(
            pk=job.pk, attempt=job.attempt, status=JobStatus.RUNNING
        )
        self._done = 0
        self._is_lost = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._renew_until_the_end, daemon=True)

    def note(self, done: int) -> None:
        """Remember how many files are done; raises ClaimLost."""
        if self._is_lost:
            raise ClaimLost
        self._done = done

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def _renew_until_the_end(self) -> None:
        try:
            while not self._is_lost:
                ends = self._end.wait(EVERY_SECONDS)
                self._renew()
                if ends:
                    return
        finally:
            connection.close()

    def _renew(self) -> None:
        """A database that is away for a moment costs nothing: the lease is longer."""
        try:
            held = self._mine.update(done=self._done, lease_expires_at=Now() + LEASE)
        except DatabaseError as error:
            logger.warning("A lease can't be renewed now: %s", error)
            connection.close()
            return
        self._is_lost = not held
