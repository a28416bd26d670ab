"""Who else is at a case, and what has been said of its cells since a page last asked."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from classifier.models import Case, Correction, Presence, Review
from classifier.services.presence import AWAY_AFTER

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody else at the case."""

    name: str
    initials: str
    is_reviewing: bool
    since: datetime

    def as_json(self) -> dict[str, Any]:
        """Return what the page's script shows."""
        return {
            "name": self.name,
            "initials": self.initials,
            "doing": "reviewing" if self.is_reviewing else "looking",
            "since": f"{timezone.localtime(self.since):%H:%M}",
        }


@dataclass(frozen=True, slots=True)
class Change:
    """The cells of which one person said something, and in one word what."""

    by: str
    is_own: bool
    verb: str
    cell_ids: tuple[uuid.UUID, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what the page's script announces."""
        ids = [str(cell_id) for cell_id in self.cell_ids]
        return {"by": self.by, "own": self.is_own, "verb": self.verb, "cells": ids}


def list_people(case: Case, *, besides: "User", review: Review | None) -> list[Person]:
    """Return who else is at the case, who came first being first; the reviewer is marked."""
    here = Presence.objects.filter(case=case, seen_at__gte=timezone.now() - AWAY_AFTER)
    others = here.exclude(user=besides).select_related("user")
    return [
        Person(
            name=each.user.name_with_title,
            initials=initials_of(each.user.full_name),
            is_reviewing=review is not None and review.reviewer_id == each.user_id,
            since=each.since,
        )
        for each in others
    ]


def stage_of(case: Case, review: Review | None) -> str:
    """Return a word that changes when the case moves on or into other hands."""
    return f"{case.status} {review.pk if review else 0}"


def list_changes(case: Case, *, known: int, reader: "User") -> tuple[int, list[Change]]:
    """Return the case's latest correction, and what came after the one that is known, by person.

    A case's corrections are written under its lock: what is known is known without gaps.
    """
    rows = Correction.objects.filter(review__case=case, pk__gt=known).select_related("created_by")
    by_person: dict[Any, list[Correction]] = defaultdict(list)
    latest = known
    for row in rows.order_by("pk"):
        by_person[row.created_by].append(row)
        latest = row.pk
    return latest, [_change(person, said, reader) for person, said in by_person.items()]


def initials_of(full_name: str) -> str:
    """Return two letters at most: of the first and of the last name."""
    names = full_name.split()
    return "".join(name[0] for name in (names[:1] + names[1:][-1:])).upper()


def _change(person: "User", rows: list[Correction], reader: "User") -> Change:
    has_only_names = all(
        row.cell_type and not row.is_removed and row.undoes is None for row in rows
    )
    return Change(
        by=person.name_with_title,
        is_own=person == reader,
        verb="named" if has_only_names else "changed",
        cell_ids=tuple(dict.fromkeys(row.cell_id for row in rows)),
    )
