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
    cells of one patient.
    """

    first: Features
    closer: Features | None
    faults: NDArray[np.float64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def logits(self, layer: DenseLayer, closer: CloserLook | None) -> NDArray[np.float32]:
        """Logits float32[N, C] as they would be served with this layer."""
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

    def look(record: Record) -> tuple[Features, Features | None, float]:
        image = read_cell(record)
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
        found = list(pool.map(look, records))
    closer = [each for _, each, _ in found if each is not None]
    groups = [record.group for record in records]
    return LookedAt(
        first=np.stack([each for each, _, _ in found]),
        closer=np.stack(closer) if closer else None,
        faults=np.array([fault for _, _, fault in found], dtype=np.float64),
        labels=labels_of(records, spec.class_names),
        groups=np.unique(groups, return_inverse=True)[1].astype(np.int64),
    )
