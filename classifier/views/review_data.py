"""What the review page's script is told of its cells, for comparing them, and of others at work."""

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from django.urls import reverse

from classifier.models import Case, Review
from classifier.selectors.cells import CellView
from classifier.selectors.presence import stage_of

PLACEHOLDER = uuid.UUID(int=0)
CLASS_PLACEHOLDER = "cell-class"

_ON_TILE = {"group", "state", "tag", "description"}
_MOSTLY: dict[str, Any] = {
    "fate": "",
    "pair": [],
    "human": "",
    "odd": False,
    "hardest": False,
    "doubt": "",
    "named": "",
    "error": "",
    "revision": 0,
    "inField": False,
}
_OFTEN = (
    "image",
    "imageName",
    "size",
    "box",
    "firstBox",
    "view",
    "finding",
    "machine",
    "suggestion",
)


def cells_data(cells: Sequence[CellView]) -> dict[str, Any]:
    """Return the cells without what their tiles say, and once what holds of most of them."""
    told = [cell.as_json() for cell in cells]
    often = {name: Counter(cell[name] for cell in told).most_common(1) for name in _OFTEN if told}
    usual = _MOSTLY | {name: most[0][0] for name, most in often.items()}
    return {"cells": [_told_apart(cell, usual) for cell in told], "usual": usual}


def _told_apart(cell: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in cell.items()
        if name not in _ON_TILE and not (name in usual and usual[name] == value)
    }


def thumbnail_parts() -> list[str]:
    """Return what stands before and after a cell's id in the address of its small picture."""
    address = reverse("classifier:cell_thumbnail", args=[PLACEHOLDER])
    return address.split(str(PLACEHOLDER))


def together_data(
    case: Case,
    cells: Sequence[CellView],
    review: Review | None,
    *,
    library: Collection[uuid.UUID],
) -> dict[str, Any]:
    """Return the latest correction that the page shows, where the case stands, what is shown."""
    return {
        "latest": max((cell.revision for cell in cells), default=0),
        "stage": stage_of(case, review),
        "inLibrary": [str(cell_id) for cell_id in library],
    }


def together_urls(case: Case) -> dict[str, str]:
    """Return the addresses that the comparison and the presence of others need."""
    return {
        "presence": reverse("classifier:review_presence", args=[case.pk]),
        "nearest": reverse("classifier:reference_nearest", args=[PLACEHOLDER]),
        "references": reverse("classifier:reference_of_class", args=[CLASS_PLACEHOLDER]),
        "referencePicture": reverse("classifier:reference_picture", args=[PLACEHOLDER]),
    }
