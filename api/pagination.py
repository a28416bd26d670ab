"""Pages of a list by cursor: what comes or goes meanwhile shifts nothing."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError


@dataclass(frozen=True, slots=True)
class CursorPage:
    """Some rows, and the cursor of the next ones; None at the end."""

    rows: list[Any]
    next_cursor: str | None


def newest_first(rows: "QuerySet[Any]", *, moment: str, cursor: str, limit: int) -> CursorPage:
    """Return the page that begins behind the cursor, by ``moment`` and id, both descending.

    Raises:
        ValidationError: the cursor is none of ours.
    """
    if cursor:
        at, pk = _read(cursor)
        rows = rows.filter(Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "pk__lt": pk}))
    found = list(rows.order_by(f"-{moment}", "-pk")[: limit + 1])
    page = found[:limit]
    if len(found) <= limit:
        return CursorPage(page, None)
    last = page[-1]
    return CursorPage(page, _write(getattr(last, moment), last.pk))


def _write(at: datetime, pk: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {pk}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        at, _, pk = text.partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError
        return moment, uuid.UUID(pk)
    except (ValueError, binascii.Error) as error:
        raise ValidationError({"cursor": ["This is no cursor of a page."]}) from error
