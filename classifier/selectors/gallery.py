"""The cells of a case grouped as the gallery shows them: doubt first, what doesn't count last."""

from collections.abc import Sequence
from dataclasses import dataclass

from classifier.selectors.cells import EDGE, REMOVED, REPEAT, UNRESOLVED, CellView
from classifier.selectors.class_keys import CLASS_KEYS, ClassKey

_FIRST = {UNRESOLVED: "Needs your decision"}
_LAST = {
    REPEAT: "Seen in another field: not counted again",
    EDGE: "Cut by the edge: not counted",
    REMOVED: "Removed: no cell",
}


@dataclass(frozen=True, slots=True)
class Group:
    """The cells of one finding, or those that wait for a decision or don't count."""

    key: str
    label: str
    cells: tuple[CellView, ...]

    @property
    def is_class(self) -> bool:
        """True for the cells of a finding that counts, which can be accepted class by class."""
        return self.key not in _FIRST | _LAST


def group_cells(cells: Sequence[CellView]) -> list[Group]:
    """Group by finding: undecided first, hardest first; then each class, doubt first.

    Every class has its group, so that cells can be put there; what a human named comes last.
    """
    labels = _FIRST | {item.cell_type.value: item.label for item in CLASS_KEYS} | _LAST
    members: dict[str, list[CellView]] = {key: [] for key in labels}
    for cell in sorted(cells, key=_doubt_first):
        members[cell.group].append(cell)
    return [Group(key, labels[key], tuple(found)) for key, found in members.items()]


def with_chances(cell: CellView | None) -> list[tuple[ClassKey, int]]:
    """Return every class with the machine's probability for the cell, in per mille."""
    chances = cell.chances if cell else [0] * len(CLASS_KEYS)
    return list(zip(CLASS_KEYS, chances, strict=True))


def _doubt_first(cell: CellView) -> tuple[bool, int, float]:
    """Hardest first: unread, then odd or with no class that fits, then the least sure; named last.

    The page's script sorts what it moves by the same rule.
    """
    hardness = 0 if cell.state == "unread" else 1 if cell.is_hardest else 2
    return cell.state == "human", hardness, 1.0 if cell.confidence is None else cell.confidence
