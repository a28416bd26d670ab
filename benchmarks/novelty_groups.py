"""The groups of pictures on which telling odd from in-class is measured."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.novelty_pictures import (
    Pixels,
    coarsen,
    cut_background,
    cut_red_cells,
    defocus,
    draw_noise,
    draw_plain,
    draw_scene,
    draw_text,
    halve,
    join_two,
    read_fields,
    shake,
    smear,
)
from ml.data.records import Record
from ml.strangers import cut_all, read_bccd_cells

MARGINS: Final = (1.1, 1.7, 2.2)
DEFOCUS: Final = (0.04, 0.08, 0.12, 0.2)
"""Sigma of the blur, as shares of the cell's diameter."""
SHAKE: Final = (0.3, 0.6)
"""Length of the motion, as shares of the cell's diameter."""


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures of one kind; `labels` int64[N] where each still shows one cell of a class."""

    name: str
    pictures: Sequence[Pixels]
    labels: NDArray[np.int64] | None = None


def in_class_groups(
    validation: NDArray[np.uint8], labels: NDArray[np.int64], data_dir: Path, names: Sequence[str]
) -> list[Group]:
    """Cells that must be read: of the home laboratory, at low resolution, and of a strange one."""
    groups = [
        Group("PBC", list(validation), labels),
        Group("PBC, cell of 48 px", [coarsen(each, 106) for each in validation[::4]], labels[::4]),
    ]
    cells = read_bccd_cells(data_dir)
    truth = np.array([names.index(cell.label) for cell in cells], dtype=np.int64)
    return groups + [
        Group(f"BCCD, margin {margin}", cut_all(cells, margin=margin), truth) for margin in MARGINS
    ]


def not_cells(data_dir: Path, home: Sequence[Record], most: int, seed: int) -> list[Group]:
    """Red cells and empty slide of three laboratories, and drawings.

    Of PBC, only pictures whose original is in `home` are cut.
    """
    rng = np.random.default_rng([seed, 1])
    groups = []
    for source in ("BCCD", "BCDD", "PBC"):
        fields, boxes = read_fields(data_dir / "txl", _txl_names(data_dir, source, home))
        groups.append(Group(f"red cells, {source}", cut_red_cells(fields, boxes, most)))
        groups.append(Group(f"background, {source}", cut_background(fields, boxes, most, rng)))
    drawings = {"noise": draw_noise, "plain": draw_plain, "text": draw_text, "scenes": draw_scene}
    return groups + [
        Group(f"drawn {name}", [draw(rng) for _ in range(most)]) for name, draw in drawings.items()
    ]


def blurred(cells: Group, cell: float, seed: int) -> list[Group]:
    """The cells out of focus and shaken, by several degrees; `cell` is their share of the frame."""
    rng = np.random.default_rng([seed, 2])
    groups = [
        Group(
            f"defocus {share}, {cells.name}",
            [defocus(each, share, cell) for each in cells.pictures],
            cells.labels,
        )
        for share in DEFOCUS
    ]
    for share in SHAKE:
        turns = rng.uniform(0, 180, size=len(cells.pictures))
        shaken = [
            shake(each, share, float(turn), cell)
            for each, turn in zip(cells.pictures, turns, strict=True)
        ]
        groups.append(Group(f"shaken {share}, {cells.name}", shaken, cells.labels))
    return groups


def misshapen(cells: Group, seed: int) -> list[Group]:
    """Two cells in one picture, half a cell, and cells smeared out of shape."""
    rng = np.random.default_rng([seed, 3])
    pictures = cells.pictures
    others = rng.permutation(len(pictures))
    pairs = [join_two(each, pictures[other]) for each, other in zip(pictures, others, strict=True)]
    return [
        Group("two cells", pairs),
        Group("half a cell", [halve(each, rng) for each in pictures]),
        Group("smudged", [smear(each, rng) for each in pictures]),
    ]


def _txl_names(data_dir: Path, source: str, home: Sequence[Record]) -> list[str]:
    allowed = {Path(record.key).stem for record in home}
    with (data_dir / "txl" / "index.csv").open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["source"] == source]
    return [row["file"] for row in rows if source != "PBC" or Path(row["original"]).stem in allowed]
