"""Who calls a cell something else than what was signed: machine, colleagues, blind readers."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from classifier.enums import CellType, StudyStatus
from classifier.findings import likeliest
from classifier.models import Correction, ReferenceMark
from learning.enums import Voice

Named = list[tuple[Voice, str]]
"""Each voice with the class that it gives a cell."""


def other_names(cells: Collection[Any]) -> Mapping[uuid.UUID, Named]:
    """By cell, every voice that names another class than the person whose word counts.

    ``cells`` carry what `with_findings` adds. A reading of a reference count speaks once the study
    is complete; each person's latest word counts.
    """
    signed = {cell.pk: cell.human_type for cell in cells}
    found: defaultdict[uuid.UUID, Named] = defaultdict(list)
    for cell in cells:
        machine = likeliest(cell.machine_probabilities or {})
        if machine and machine != cell.human_type:
            found[cell.pk].append((Voice.MACHINE, machine))
    for voice, words in ((Voice.EARLIER, _earlier(signed)), (Voice.REFERENCE, _reference(signed))):
        for (cell_id, _), name in words.items():
            if name not in ("", CellType.UNIDENTIFIED, signed[cell_id]):
                found[cell_id].append((voice, name))
    return found


def _earlier(signed: Mapping[uuid.UUID, str]) -> dict[tuple[uuid.UUID, int], str]:
    """What each person called each cell last, whoever's word counts in the end."""
    said = Correction.objects.filter(cell__in=signed).order_by("pk")
    return {
        (cell_id, person): name
        for cell_id, person, name in said.values_list("cell_id", "created_by_id", "cell_type")
    }


def _reference(signed: Mapping[uuid.UUID, str]) -> dict[tuple[uuid.UUID, int], str]:
    marks = ReferenceMark.objects.filter(
        cell__cell__in=signed,
        reading__left_at=None,
        reading__study__status=StudyStatus.COMPLETE,
    ).order_by("pk")
    return {
        (cell_id, reading): name
        for cell_id, reading, name in marks.values_list("cell__cell_id", "reading_id", "cell_type")
    }
