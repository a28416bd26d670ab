"""What a release's backbone makes of labelled cells at every look, kept to fit and try heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec
from ml.cores import usable_cores
from ml.data.pixels import read_cell
from ml.data.records import Record, labels_of
from ml.engine import Engine
from ml.head_fitting import DenseLayer
from ml.looks import CloserLook
from ml.preprocessing import locate, normalise
from ml.quality import quality_of

Features = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LookedAt:
    """Labelled cells: pooled features float32[N, K] of the first look, and of the closer one.

    `closer` is None where the release looks once. `faults` float64[N] say how badly each picture
    can be read, above 1 too badly. Class indices `labels` int64[N]; `groups` int64[N], alike for
    cells that must not be parted.
    """

    first: Features
    closer: Features | None
    faults: NDArray[np.float64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> LookedAt:
        """Some of the cells, by mask or number, with their groups counted anew."""
        closer = None if self.closer is None else self.closer[chosen]
        groups = np.unique(self.groups[chosen], return_inverse=True)[1].astype(np.int64)
        return LookedAt(
            self.first[chosen], closer, self.faults[chosen], self.labels[chosen], groups
        )

    def logits(self, layer: DenseLayer, closer: CloserLook | None) -> NDArray[np.float64]:
        """Logits float64[N, C] as served with this layer: of one look, or the mean of both."""
        logits = layer.logits(self.first)
        if closer is None or self.closer is None:
            return logits
        wanted = closer.is_wanted(logits)
        logits[wanted] = (logits[wanted] + layer.logits(self.closer[wanted])) / 2
        return logits

    def rows(self, chosen: NDArray[np.bool_]) -> tuple[Features, NDArray[np.int64]]:
        """Features and labels of all looks at the chosen cells, bool[N]."""
        looks = [self.first, *([] if self.closer is None else [self.closer])]
        labels = self.labels[chosen]
        return np.concatenate([each[chosen] for each in looks]), np.tile(labels, len(looks))


def look_at(
    spec: ReleaseSpec,
    engine: Engine,
    records: Sequence[Record],
    *,
    on_progress: Callable[[int], object] = lambda _: None,
) -> LookedAt:
    """Decode and look at records as they are served, on every core."""
    groups = [record.group or record.key for record in records]
    return look_at_pictures(
        spec,
        engine,
        lambda number: read_cell(records[number]),
        labels_of(records, spec.class_names),
        np.unique(groups, return_inverse=True)[1].astype(np.int64),
        on_progress=on_progress,
    )


def look_at_pictures(
    spec: ReleaseSpec,
    engine: Engine,
    picture: Callable[[int], NDArray[np.uint8]],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    on_progress: Callable[[int], object] = lambda _: None,
) -> LookedAt:
    """The same of pictures uint8[H, W, 3] RGB given by number, 0 to N - 1."""

    def look(number: int) -> tuple[Features, Features | None, float]:
        image = picture(number)
        cell = locate(image)
        view = cell.view(spec.input_size)
        height, width = image.shape[:2]
        fault = quality_of(view, cell.nucleus, width, height).worst
        closer = None
        if spec.closer:
            closer = engine.run(normalise(cell.view(spec.closer.size))).features
        on_progress(1)
        return engine.run(normalise(view)).features, closer, fault

    with ThreadPoolExecutor(usable_cores()) as pool:
        found = list(pool.map(look, range(len(labels))))
    closer = [each for _, each, _ in found if each is not None]
    return LookedAt(
        first=np.stack([each for each, _, _ in found]),
        closer=np.stack(closer) if closer else None,
        faults=np.array([fault for _, _, fault in found], dtype=np.float64),
        labels=labels,
        groups=groups,
    )
