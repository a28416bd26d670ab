"""Doing once what may be asked several times."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from api.exceptions import KeyInUse, KeyReused
from api.models import AnsweredRequest, ApiToken

KEPT = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its key knows it: whose, which address, and the hash of what was sent."""

    token: ApiToken
    key: str
    target: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; `is_replayed` if it was so at an earlier time."""

    status: int
    body: Any
    location: str = ""
    is_replayed: bool = False


@transaction.atomic
def answer_once(asked: Asked, work: Callable[[], Answer]) -> Answer:
    """Work and keep the answer in one transaction, or repeat the answer that is kept.

    What is refused raises, changes nothing and is not kept: it may be sent again under its key.

    Raises:
        KeyInUse: the first request under the key isn't answered yet.
        KeyReused: the key came with another request.
    """
    if not _lock(asked):
        raise KeyInUse("The first request with this Idempotency-Key is still being worked on.")
    kept = AnsweredRequest.objects.filter(token=asked.token, key=asked.key).first()
    if kept is not None:
        if (kept.target, kept.body_sha256) != (asked.target, asked.body_sha256):
            raise KeyReused("This Idempotency-Key came with another request before.")
        return Answer(kept.status, kept.body, kept.location, is_replayed=True)
    answer = work()
    AnsweredRequest.objects.create(
        token=asked.token,
        key=asked.key,
        target=asked.target,
        body_sha256=asked.body_sha256,
        status=answer.status,
        body=answer.body,
        location=answer.location,
    )
    return answer


def forget_answers() -> int:
    """Delete answers that are older than two days; return how many."""
    old = AnsweredRequest.objects.filter(answered_at__lt=timezone.now() - KEPT)
    return old.delete()[0]


def _lock(asked: Asked) -> bool:
    """Take the key until the transaction ends; False if another request has it."""
    name = f"{asked.token.pk}:{asked.key}".encode()
    number = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])
