"""The cells of a case as the review page shows them: grouped by finding, doubt first."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from classifier.enums import CellType, ImageKind
from classifier.findings import Mark, likeliest
from classifier.models import Case, Cell, ClassificationRun, Correction, SmearImage
from ml.classes import CELL_CLASSES

UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class ClassKey:
    """A class with the key that assigns it and the abbreviation that fits on a thumbnail."""

    cell_type: CellType
    key: str
    short: str

    @property
    def label(self) -> str:
        """The name for a reader."""
        return str(self.cell_type.label)


# Digits for the leukocytes, first letters for what is counted apart.
CLASS_KEYS = (
    ClassKey(CellType.NEUTROPHIL, "1", "NEU"),
    ClassKey(CellType.LYMPHOCYTE, "2", "LYM"),
    ClassKey(CellType.MONOCYTE, "3", "MON"),
    ClassKey(CellType.EOSINOPHIL, "4", "EOS"),
    ClassKey(CellType.BASOPHIL, "5", "BAS"),
    ClassKey(CellType.IMMATURE_GRANULOCYTE, "6", "IG"),
    ClassKey(CellType.BLAST, "7", "BLA"),
    ClassKey(CellType.ATYPICAL_LYMPHOCYTE, "8", "ATL"),
    ClassKey(CellType.PLASMA_CELL, "9", "PLC"),
    ClassKey(CellType.ERYTHROBLAST, "e", "ERY"),
    ClassKey(CellType.PLATELET, "p", "PLT"),
    ClassKey(CellType.SMUDGE_CELL, "s", "SMU"),
    ClassKey(CellType.ARTEFACT, "x", "ART"),
    ClassKey(CellType.UNIDENTIFIED, "0", "UNI"),
)
SHORT_NAMES: Mapping[str, str] = {item.cell_type: item.short for item in CLASS_KEYS}


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell: where it lies, what the machine made of it, what a human said and who."""

    id: uuid.UUID
    image_id: uuid.UUID
    image_name: str
    box: tuple[int, int, int, int]
    image_size: tuple[int, int]
    mark: Mark
    suggestion: str
    confidence: float | None
    probabilities: Mapping[str, float]
    named_by: str
    named_at: datetime | None
    run_error: str

    @property
    def finding(self) -> str:
        """The class that counts now."""
        return self.mark.finding

    @property
    def group(self) -> str:
        """Where the gallery shows it."""
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
        percent = f"{int(100 * (self.confidence or 0))} %"
        return f"{SHORT_NAMES[self.suggestion]} {percent}" if self.state == "referred" else percent

    @property
    def was(self) -> str:
        """The machine's likeliest class where the human named another."""
        return "" if self.suggestion == self.mark.human_type else self.suggestion

    @property
    def description(self) -> str:
        """The cell in words, for those who don't see it."""
        name = str(CellType(self.finding).label)
        words = {
            "human": f"{name}, named by reviewer, {self.tag}",
            "machine": f"{name}, machine, {self.tag}",
            "referred": f"Undecided, machine suggests {self.tag}",
            "unread": "Undecided, not read by the machine",
        }
        return words[self.state]

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
        """The box as an SVG view box."""
        x0, y0, x1, y1 = self.box
        return f"{x0} {y0} {x1 - x0} {y1 - y0}"

    def as_json(self) -> dict[str, Any]:
        """Return what the page's script needs to show the cell."""
        return {
            "id": str(self.id),
            "image": str(self.image_id),
            "size": self.image_size,
            "box": self.view_box,
            "group": self.group,
            "state": self.state,
            "tag": self.tag,
            "description": self.description,
            "machine": self.mark.machine_type,
            "human": self.mark.human_type,
            "suggestion": self.suggestion,
            "confidence": self.confidence,
            "chances": self.chances if self.probabilities else [],
            "named": self.signature,
            "error": self.run_error,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """The cells of one finding, or those that wait for a decision."""

    key: str
    label: str
    cells: tuple[CellView, ...]


def list_cells(case: Case, cell_ids: Iterable[uuid.UUID] | None = None) -> list[CellView]:
    """Return the cells of the case (or some of them), in the order of upload."""
    cells = Cell.objects.filter(image__case=case).with_findings().select_related("image")
    if cell_ids is not None:
        cells = cells.filter(pk__in=list(cell_ids))
    return [_view(cell) for cell in _with_context(cells)]


def group_cells(cells: Sequence[CellView]) -> list[Group]:
    """Group by finding: undecided first, hardest first; then each class, doubt first.

    Every class has its group, so that cells can be put there; what a human named comes last.
    """
    labels = {UNRESOLVED: "Needs your decision"} | {
        item.cell_type: item.label for item in CLASS_KEYS
    }
    members: dict[str, list[CellView]] = {key: [] for key in labels}
    for cell in sorted(cells, key=_doubt_first):
        members[cell.group].append(cell)
    return [Group(key, labels[key], tuple(found)) for key, found in members.items()]


def with_chances(cell: CellView | None) -> list[tuple[ClassKey, int]]:
    """Return every class with the machine's probability for the cell, in per mille."""
    chances = cell.chances if cell else [0] * len(CLASS_KEYS)
    return list(zip(CLASS_KEYS, chances, strict=True))


def list_fields(case: Case) -> QuerySet[SmearImage]:
    """Return the whole fields of the case, which hold no cells that could be named."""
    return case.images.filter(kind=ImageKind.FIELD, cells=None)


def _doubt_first(cell: CellView) -> tuple[bool, float]:
    return cell.state == "human", cell.confidence or 0.0


def _with_context(cells: "QuerySet[Cell]") -> "QuerySet[Cell]":
    latest = Correction.objects.filter(cell=OuterRef("pk")).order_by("-pk")
    runs = ClassificationRun.objects.filter(image=OuterRef("image_id")).order_by("-pk")
    return cells.annotate(
        named_by=Subquery(latest.values("created_by__full_name")[:1]),
        named_at=Subquery(latest.values("created_at")[:1]),
        run_error=Subquery(runs.values("error_message")[:1]),
    )


def _view(cell: Any) -> CellView:
    probabilities = cell.machine_probabilities or {}
    is_named = bool(cell.human_type)
    return CellView(
        id=cell.pk,
        image_id=cell.image_id,
        image_name=cell.image.original_name,
        box=cell.box,
        image_size=(cell.image.width, cell.image.height),
        mark=Mark(cell.machine_type or "", cell.machine_referred, cell.human_type),
        suggestion=likeliest(probabilities),
        confidence=cell.machine_confidence,
        probabilities={name: probabilities.get(name, 0.0) for name in CELL_CLASSES}
        if probabilities
        else {},
        named_by=cell.named_by if is_named else "",
        named_at=cell.named_at if is_named else None,
        run_error="" if cell.machine_type else cell.run_error or "",
    )
