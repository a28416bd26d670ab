"""Waiting for a case: how many may, for how long, and what they are told."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import connection

from api.exceptions import TooManyStreams
from api.models import ApiToken
from classifier.enums import RunStatus
from classifier.models import Case
from classifier.selectors import intake

if TYPE_CHECKING:
    from accounts.models import User

SITE, OWNER = 0x4856_0001, 0x4856_0002
"""The two spaces of PostgreSQL's advisory locks in which streams have their places."""


@dataclass(frozen=True, slots=True)
class CaseState:
    """How a case stands; `key` changes whenever it does."""

    key: str
    says: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The state as one server-sent event."""
        return f"id: {self.key}\nevent: state\ndata: {json.dumps(self.says)}\n\n"


class Place:
    """A place among the streams: of the site, whose threads are few, and of one owner.

    Places are advisory locks of this thread's database session, so that a process that dies
    leaves none behind.
    """

    def __init__(self, owner: "User") -> None:
        self.taken: list[tuple[int, int]] = []
        first = owner.pk * settings.API_STREAMS_PER_OWNER
        self._take(OWNER, range(first, first + settings.API_STREAMS_PER_OWNER))
        self._take(SITE, range(settings.API_STREAMS))

    def give_back(self) -> None:
        """Let others have it."""
        while self.taken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", self.taken.pop())

    def _take(self, space: int, numbers: range) -> None:
        for number in numbers:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [space, number])
                if cursor.fetchone()[0]:
                    self.taken.append((space, number))
                    return
        self.give_back()
        raise TooManyStreams("Too many streams are open: close one, or ask again later.")


class EventStream:
    """The states of a case as they change, until the stream's time is up.

    Says the present state at once unless the reader has it already. Something is sent every few
    seconds, so that a reader who has gone is noticed. Ends when the token or the case is no
    longer the reader's.
    """

    def __init__(self, *, case_id: uuid.UUID, token: ApiToken, last_key: str = "") -> None:
        self.case_id, self.token, self.last_key = case_id, token, last_key
        self.place = Place(token.owner)
        self.parts = self._run()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        return next(self.parts)

    def close(self) -> None:
        """Give the place back, whether or not anything was read."""
        self.parts.close()
        self.place.give_back()

    def _run(self) -> Generator[str, None, None]:
        yield "retry: 1000\n\n"
        began = said = time.monotonic()
        while time.monotonic() - began < settings.API_STREAM_SECONDS:
            state = look(self.case_id, self.token)
            if state is None:
                return
            if state.key != self.last_key:
                self.last_key, said = state.key, time.monotonic()
                yield state.text
            elif time.monotonic() - said >= settings.API_STREAM_HEARTBEAT_SECONDS:
                said = time.monotonic()
                yield ": still here\n\n"
            time.sleep(settings.API_STREAM_LOOK_SECONDS)


def wait_for_change(
    *, case_id: uuid.UUID, token: ApiToken, known: str, seconds: int
) -> CaseState | None:
    """Return the state once it isn't the known one any more, or as it is when the time is up.

    None once token or case are out of reach.

    Raises:
        TooManyStreams: as many wait already as may.
    """
    place = Place(token.owner)
    try:
        until = time.monotonic() + seconds
        while True:
            state = look(case_id, token)
            left = until - time.monotonic()
            if state is None or state.key != known or left <= 0:
                return state
            time.sleep(min(settings.API_STREAM_LOOK_SECONDS, left))
    finally:
        place.give_back()


def look(case_id: uuid.UUID, token: ApiToken) -> CaseState | None:
    """Return how a case stands; None once token or case are out of reach."""
    living = ApiToken.objects.living().filter(pk=token.pk, owner__is_active=True)
    case = Case.objects.visible_to(token.owner).filter(pk=case_id).first()
    return state_of(case) if case and living.exists() else None


def state_of(case: Case) -> CaseState:
    """Return how the case stands and how many of its images were read."""
    images_alone = intake.case_images(case).prefetch_related(None)
    count = Counter(images_alone.values_list("run_status", flat=True))  # type: ignore[misc]
    read, failed = count[RunStatus.SUCCEEDED], count[RunStatus.FAILED]
    images = {"total": count.total(), "succeeded": read, "failed": failed}
    says = {"case": str(case.pk), "status": case.status, "version": case.version, "images": images}
    return CaseState(f"{case.version}-{count.total()}-{read}-{failed}", says)
