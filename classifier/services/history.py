"""Which steps of a review stand and which were undone, read from its append-only rows."""

import uuid
from dataclasses import dataclass

from django.db.models import Min

from classifier.models import Correction, Review


@dataclass(frozen=True, slots=True)
class Undone:
    """A step that was taken back, and the step that took it back."""

    step: uuid.UUID
    undo: uuid.UUID


@dataclass(frozen=True, slots=True)
class History:
    """The steps that stand and those that can be done again, the latest last."""

    standing: tuple[uuid.UUID, ...]
    undone: tuple[Undone, ...]


def read_history(review: Review) -> History:
    """Return what an undo and a redo would find.

    An undo names the step that it takes back; a redo names the undo. A new step ends what could
    be done again.
    """
    steps = review.corrections.values("action_id", "undoes").annotate(first=Min("pk"))
    standing: list[uuid.UUID] = []
    undone: list[Undone] = []
    for step in steps.order_by("first"):
        action_id, undoes = step["action_id"], step["undoes"]
        if undoes is None:
            standing.append(action_id)
            undone.clear()
        elif standing and undoes == standing[-1]:
            undone.append(Undone(standing.pop(), action_id))
        else:
            standing.append(undone.pop().step)
    return History(tuple(standing), tuple(undone))


def rows_of(review: Review, step: uuid.UUID) -> list[Correction]:
    """Return the rows that a step of the review wrote."""
    return list(review.corrections.filter(action_id=step))
