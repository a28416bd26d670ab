"""Labelled cells of a laboratory, as the frozen network of a release sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.cores import usable_cores
from ml.data.pixels import read_cell
from ml.data.records import Record, labels_of
from ml.engine import Engine, open_engine
from ml.preprocessing import locate, normalise
from ml.quality import quality_of

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SeenCells:
    """N labelled cells through a network that no longer learns.

    `first` and `closer` float32[N, K] are the pooled features of the two looks, `closer` None where
    the release takes but one. `faults` float32[N] is the worst measure of picture quality, above 1
    to be refused. `labels` int64[N] count the release's classes; `groups` int64[N] are alike for
    cells that must not be parted.
    """

    first: Array
    closer: Array | None
    faults: Array
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> SeenCells:
        """Some of the cells, by mask or number, with their groups counted anew."""
        closer = None if self.closer is None else self.closer[chosen]
        groups = np.unique(self.groups[chosen], return_inverse=True)[1].astype(np.int64)
        return SeenCells(
            self.first[chosen], closer, self.faults[chosen], self.labels[chosen], groups
        )


def see_cells(
    release_dir: Path,
    records: Sequence[Record],
    *,
    on_progress: Callable[[int], object] = lambda _: None,
) -> SeenCells:
    """Decode records and read them as the release does when it serves, both looks of each cell."""
    spec, _ = open_engine(release_dir)
    groups = [record.group or record.key for record in records]
    return see_pictures(
        release_dir,
        lambda number: read_cell(records[number]),
        labels_of(records, spec.class_names),
        np.unique(groups, return_inverse=True)[1].astype(np.int64),
        on_progress=on_progress,
    )


def see_pictures(
    release_dir: Path,
    picture: Callable[[int], NDArray[np.uint8]],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    on_progress: Callable[[int], object] = lambda _: None,
) -> SeenCells:
    """The same of pictures uint8[H, W, 3] RGB given by number, 0 to N - 1."""
    spec, engine = open_engine(release_dir)
    sizes = (spec.input_size, *([spec.closer.size] if spec.closer else []))

    def see(number: int) -> tuple[list[Array], float]:
        found = _see_one(engine, picture(number), sizes)
        on_progress(1)
        return found

    with ThreadPoolExecutor(usable_cores()) as pool:
        seen = list(pool.map(see, range(len(labels))))
    looks = [np.stack([features[place] for features, _ in seen]) for place in range(len(sizes))]
    faults = np.array([fault for _, fault in seen], dtype=np.float32)
    return SeenCells(looks[0], looks[1] if spec.closer else None, faults, labels, groups)


def _see_one(
    engine: Engine, pixels: NDArray[np.uint8], sizes: Sequence[int]
) -> tuple[list[Array], float]:
    """Pooled features float32[K] of each look, and the worst of the picture's faults."""
    cell = locate(pixels)
    views = [cell.view(size) for size in sizes]
    quality = quality_of(views[0], cell.nucleus, pixels.shape[1], pixels.shape[0])
    return [engine.run(normalise(view)).features for view in views], quality.worst
