"""One cell as the review page shows it: where it lies, what machine and human say, if it counts."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from classifier.enums import CellType, DetectedKind, ImageKind, RepeatMark
from classifier.findings import Box, Mark, likeliest, longer_side, square_round, surroundings
from classifier.models import Case, Cell, ClassificationRun, Correction, Prediction, SmearImage
from classifier.selectors.class_keys import CLASS_KEYS, SHORT_NAMES
from ml.classes import CELL_CLASSES

UNRESOLVED = "unresolved"
EDGE: Literal["edge"] = "edge"
REPEAT: Literal["repeat"] = "repeat"
REMOVED: Literal["removed"] = "removed"

Fate = Literal["", "edge", "repeat", "removed"]
"""Why a cell doesn't count, "" if it does."""

_FATES: Mapping[str, str] = {
    EDGE: "cut by the edge, not counted",
    REPEAT: "seen in another field, not counted",
    REMOVED: "removed, not counted",
}

_LABELS: Mapping[str, str] = {item.value: str(item.label) for item in CellType}

ODD = 0.95
"""What oddness leaves of a confidence where it begins to refuse; see `ml.inference`."""

_STAGE = 1.5
"""Side of the picture of a field's cell over the longer side of its box."""


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell: where it lies, what the machine made of it, what a human said and who.

    ``pair`` are the cells of overlapping fields that are the same as this one; ``revision``
    grows with everything that a human says of the cell. ``candidates`` are the classes that the
    machine doesn't rule out, the likeliest first: none if no class is likely enough, None if its
    version doesn't tell.
    """

    id: uuid.UUID
    image_id: uuid.UUID
    image_name: str
    is_in_field: bool
    detected_as: DetectedKind
    box: Box
    first_box: Box
    image_size: tuple[int, int]
    mark: Mark
    fate: Fate
    pair: tuple[uuid.UUID, ...]
    suggestion: str
    confidence: float | None
    probabilities: Mapping[str, float]
    candidates: tuple[str, ...] | None
    named_by: str
    named_at: datetime | None
    run_error: str
    revision: int

    @property
    def finding(self) -> str:
        """The class that counts now."""
        return self.mark.finding

    @property
    def group(self) -> str:
        """Where the gallery shows it."""
        if self.fate:
            return self.fate
        return UNRESOLVED if self.mark.is_unresolved else self.finding

    @property
    def state(self) -> str:
        """Whose word counts: `human`, `machine`, or nobody's yet: `referred`, `unread`."""
        if self.mark.human_type:
            return "human"
        if not self.mark.machine_type:
            return "unread"
        return "referred" if self.mark.is_referred else "machine"

    @property
    def tag(self) -> str:
        """The few letters on the thumbnail; they say what its colour says."""
        if self.state == "human":
            return f"was {SHORT_NAMES[self.was]}" if self.was else "confirmed"
        if self.state == "unread":
            return "not read"
        if self.confidence is None:
            return SHORT_NAMES[self.mark.machine_type]
        if self.is_odd:
            return f"{SHORT_NAMES[self.suggestion]}, odd"
        percent = f"{int(100 * self.confidence)} %"
        return f"{SHORT_NAMES[self.suggestion]} {percent}" if self.state == "referred" else percent

    @property
    def is_odd(self) -> bool:
        """True where the machine refers a cell as unlike those it knows, however sure of a class.

        Its confidence is then the likeliest probability, less what oddness casts in doubt.
        """
        if self.state != "referred" or self.confidence is None:
            return False
        return self.confidence < ODD * self.probabilities[self.suggestion]

    @property
    def is_hardest(self) -> bool:
        """True for a referred cell that is odd or that no class fits: looked at before others."""
        return self.is_odd or (self.state == "referred" and self.candidates == ())

    @property
    def doubt(self) -> str:
        """Which classes a referred cell could be; "" where the machine doesn't tell."""
        if self.state != "referred" or self.candidates is None:
            return ""
        names = ", ".join(_LABELS[name].lower() for name in self.candidates)
        return f"Could be: {names}" if names else "No class is likely enough"

    @property
    def was(self) -> str:
        """The machine's likeliest class where the human named another."""
        return "" if self.suggestion == self.mark.human_type else self.suggestion

    @property
    def description(self) -> str:
        """The cell in words, for those who don't see it."""
        name = _LABELS[self.finding]
        words = {
            "human": f"{name}, named by reviewer, {self.tag}",
            "machine": f"{name}, machine, {self.tag}",
            "referred": f"Undecided, machine suggests {self.tag}",
            "unread": "Undecided, not read by the machine",
        }
        said = words[self.state]
        if self.doubt:
            said = f"{said}, {self.doubt[0].lower()}{self.doubt[1:]}"
        return f"{said}, {_FATES[self.fate]}" if self.fate else said

    @property
    def signature(self) -> str:
        """Who named the cell and when; empty where nobody did."""
        return f"{self.named_by}, {self.named_at:%d %b %H:%M}" if self.named_at else ""

    @property
    def chances(self) -> list[int]:
        """The machine's probabilities in per mille, in the order of `CLASS_KEYS`."""
        return [round(1000 * self.probabilities.get(item.cell_type, 0)) for item in CLASS_KEYS]

    @property
    def view_box(self) -> str:
        """What the stage shows, as an SVG view box: the picture, or a square round the box."""
        shown = self.box
        if self.is_in_field:
            shown = square_round(self.box, round(_STAGE * longer_side(self.box)))
        x0, y0, x1, y1 = shown
        return f"{x0} {y0} {x1 - x0} {y1 - y0}"

    @property
    def surroundings(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of what the large picture of a field's cell shows."""
        x0, y0, x1, y1 = surroundings(self.box, self.image_size)
        return x0, y0, x1 - x0, y1 - y0

    def as_json(self) -> dict[str, Any]:
        """Return what the page's script needs to show the cell."""
        return {
            "id": str(self.id),
            "image": str(self.image_id),
            "imageName": self.image_name,
            "size": self.image_size,
            "inField": self.is_in_field,
            "box": self.box,
            "firstBox": self.first_box,
            "view": self.view_box,
            "group": self.group,
            "fate": self.fate,
            "pair": [str(cell_id) for cell_id in self.pair],
            "finding": self.finding,
            "state": self.state,
            "tag": self.tag,
            "description": self.description,
            "machine": self.mark.machine_type,
            "human": self.mark.human_type,
            "suggestion": self.suggestion,
            "confidence": self.confidence,
            "odd": self.is_odd,
            "hardest": self.is_hardest,
            "doubt": self.doubt,
            "chances": self.chances if self.probabilities else [],
            "named": self.signature,
            "error": self.run_error,
            "revision": self.revision,
        }


def list_cells(case: Case, cell_ids: Iterable[uuid.UUID] | None = None) -> list[CellView]:
    """Return the cells to review (or some of the case), in the order of upload."""
    cells = Cell.objects.filter(image__case=case)
    cells = cells.for_review() if cell_ids is None else cells.filter(pk__in=list(cell_ids))
    return _views(case, cells)


def list_field_cells(image: SmearImage) -> list[CellView]:
    """Return all cells of a field, red cells and platelets included."""
    return _views(image.case, Cell.objects.filter(image=image))


def _views(case: Case, cells: "QuerySet[Cell]") -> list[CellView]:
    pairs = _pairs(case)
    found = _with_context(cells.with_findings().select_related("image"))  # type: ignore[attr-defined]
    return [_view(cell, pairs[cell.pk]) for cell in found]


def _pairs(case: Case) -> defaultdict[uuid.UUID, tuple[uuid.UUID, ...]]:
    """For each cell that several fields show, what they show of it elsewhere."""
    again = Cell.objects.filter(image__case=case, repeat_of__isnull=False).order_by("pk")
    same: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for cell_id, first in again.values_list("pk", "repeat_of_id"):
        same[first].append(cell_id)
    pairs: defaultdict[uuid.UUID, tuple[uuid.UUID, ...]] = defaultdict(tuple)
    for first, others in same.items():
        all_of_them = (first, *others)
        for cell_id in all_of_them:
            pairs[cell_id] = tuple(other for other in all_of_them if other != cell_id)
    return pairs


def _with_context(cells: "QuerySet[Cell]") -> "QuerySet[Cell]":
    read = Prediction.objects.filter(cell=OuterRef("pk")).order_by("-pk")
    latest = Correction.objects.filter(cell=OuterRef("pk")).order_by("-pk")
    runs = ClassificationRun.objects.filter(image=OuterRef("image_id")).order_by("-pk")
    return cells.annotate(
        named_by=Subquery(latest.values("created_by__full_name")[:1]),
        named_at=Subquery(latest.values("created_at")[:1]),
        candidates=Subquery(read.values("candidates")[:1]),
        is_placed=Subquery(read.values(placed=Q(embedding__isnull=False))[:1]),
        revision=Coalesce(Subquery(latest.values("pk")[:1]), 0),
        run_error=Subquery(runs.values("error_message")[:1]),
    )


def _view(cell: Any, pair: tuple[uuid.UUID, ...]) -> CellView:
    probabilities = cell.machine_probabilities or {}
    is_named = bool(cell.human_type)
    return CellView(
        id=cell.pk,
        image_id=cell.image_id,
        image_name=cell.image.original_name,
        is_in_field=cell.image.kind == ImageKind.FIELD,
        detected_as=DetectedKind(cell.detected_as),
        box=cell.box_now,
        first_box=cell.box,
        image_size=(cell.image.width, cell.image.height),
        mark=Mark(cell.machine_type or "", cell.machine_referred, cell.human_type),
        fate=_fate(cell),
        pair=pair,
        suggestion=likeliest(probabilities),
        confidence=cell.machine_confidence,
        probabilities={name: probabilities.get(name, 0.0) for name in CELL_CLASSES}
        if probabilities
        else {},
        candidates=tuple(cell.candidates) if cell.candidates or cell.is_placed else None,
        named_by=cell.named_by if is_named else "",
        named_at=cell.named_at if is_named else None,
        run_error="" if cell.machine_type else cell.run_error or "",
        revision=cell.revision,
    )


def _fate(cell: Any) -> Fate:
    """The rule of `CellQuerySet.counted`, for one cell with findings."""
    if cell.removed:
        return REMOVED
    if cell.cut:
        return EDGE
    is_repeat = cell.human_repeat == RepeatMark.REPEAT or (
        cell.repeat_of_id is not None and cell.human_repeat != RepeatMark.DISTINCT
    )
    return REPEAT if is_repeat else ""
