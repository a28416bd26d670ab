"""Cells that are named one after the other, blind: in reference counts and in reader checks."""

from collections.abc import Mapping
from dataclasses import dataclass

Marks = Mapping[int, str]
"""A reader's class of each cell, by the cell's position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindTask:
    """Which cells are to be named, by position, which one is shown, and the reader's own names."""

    positions: tuple[int, ...]
    position: int
    marks: Marks

    @property
    def done(self) -> int:
        """How many cells have a name."""
        return len(self.marks)

    @property
    def is_done(self) -> bool:
        """True once every cell has a name."""
        return self.done == len(self.positions)

    @property
    def number(self) -> int:
        """The place of the cell shown, from 1."""
        return self.positions.index(self.position) + 1

    @property
    def chosen(self) -> str:
        """The class given to the cell shown; empty if none yet."""
        return self.marks.get(self.position, "")

    @property
    def previous(self) -> int | None:
        """The cell before."""
        return self.positions[self.number - 2] if self.number > 1 else None

    @property
    def following(self) -> int | None:
        """The cell after."""
        return self.positions[self.number] if self.number < len(self.positions) else None
