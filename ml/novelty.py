"""Tell cells unlike any that a network learned from, by what its features leave unexplained."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.errors import ArtifactError

REFERENCE_NAME: Final = "reference.npz"
ACCEPTED: Final = 0.99
"""Share of the validation cells whose score is at most 1."""

AXES: Final = 128
EXAMPLES: Final = 1000

Array = NDArray[np.float32]


@dataclass(frozen=True)
class NoveltyStatistics:
    """Where the features of learned cells lie, and some of those cells to show beside a new one.

    `mean` float32[K] and orthonormal `axes` float16[K, D] span the subspace of cells; `typical`
    and `limit` are the median and the 99th percentile of the squared distance from it, in
    validation. `examples` float16[M, D] are coordinates in the subspace of M training cells,
    `example_labels` int64[M] their classes and `example_keys` str[M] their names.
    """

    mean: Array
    axes: NDArray[np.float16]
    typical: float
    limit: float
    examples: NDArray[np.float16]
    example_labels: NDArray[np.int64]
    example_keys: NDArray[np.str_]

    def __post_init__(self) -> None:
        width, depth = self.axes.shape
        fits = self.mean.shape == (width,) and self.examples.shape[1:] == (depth,)
        fits = fits and len(self.examples) == len(self.example_labels) == len(self.example_keys)
        if not fits or not 0.0 < self.typical < self.limit:
            raise ArtifactError("The novelty statistics do not fit together.")

    @cached_property
    def wide_axes(self) -> Array:
        """The axes as float32[K, D], to compute with; widened once."""
        return self.axes.astype(np.float32)


def fit(
    features: Array,
    validation: Array,
    *,
    examples: Array,
    example_labels: NDArray[np.int64],
    example_keys: NDArray[np.str_],
    axes: int = AXES,
) -> NoveltyStatistics:
    """Fit on pooled features float32[N, K] of the training fold, as views of many kinds.

    `validation` float32[V, K] are those of plain views of the validation fold, which set the
    scale. `examples` float32[M, K] are shown as nearest cells. Raises ValueError if N is not above
    `axes`, or V is below 2.
    """
    if len(features) <= axes or len(validation) < 2:
        raise ValueError(f"Too few cells: {len(features)} to fit, {len(validation)} to scale.")
    mean = features.mean(axis=0, dtype=np.float64)
    centred = (features - mean).astype(np.float32)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    kept = np.ascontiguousarray(vectors[:, ::-1][:, :axes]).astype(np.float16)
    distances = _left_over(validation - mean.astype(np.float32), kept.astype(np.float32))
    shown = (examples - mean.astype(np.float32)) @ kept.astype(np.float32)
    return NoveltyStatistics(
        mean=mean.astype(np.float32),
        axes=kept,
        typical=float(np.median(distances)),
        limit=float(np.quantile(distances, ACCEPTED)),
        examples=shown.astype(np.float16),
        example_labels=example_labels,
        example_keys=example_keys,
    )


def score(statistics: NoveltyStatistics, features: Array) -> Array:
    """Novelty float32[N] of pooled features float32[N, K]: 0 typical, above 1 to be refused.

    The squared distance from the principal subspace of learned cells, which is the residual of
    ViM (Wang et al., CVPR 2022) without its logit, scaled by validation cells.
    """
    left = _left_over(features - statistics.mean, statistics.wide_axes)
    scaled = (left - statistics.typical) / (statistics.limit - statistics.typical)
    return np.asarray(scaled, dtype=np.float32)


def nearest(
    statistics: NoveltyStatistics, features: Array, *, count: int = 5
) -> tuple[NDArray[np.int64], Array]:
    """The most alike examples of features float32[N, K]: numbers int64[N, count] and likeness.

    Likeness float32[N, count] is the cosine in the subspace of cells, from -1 to 1, best first.
    """
    placed = _directions(
        np.asarray((features - statistics.mean) @ statistics.wide_axes, dtype=np.float32)
    )
    likeness = placed @ _directions(statistics.examples.astype(np.float32)).T
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(likeness, order, axis=1)


def save(statistics: NoveltyStatistics, path: Path) -> None:
    """Write a compressed .npz, well below 1 MB at 128 axes and 1,000 examples."""
    values = {field.name: getattr(statistics, field.name) for field in fields(statistics)}
    np.savez_compressed(path, **values)


def load(path: Path) -> NoveltyStatistics:
    """Read what `save` wrote; raises ArtifactError if it is missing or malformed."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            values = {field.name: stored[field.name] for field in fields(NoveltyStatistics)}
            typical, limit = float(values.pop("typical")), float(values.pop("limit"))
            return NoveltyStatistics(**values, typical=typical, limit=limit)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, EOFError, TypeError) as error:
        raise ArtifactError(f"{path} holds no novelty statistics: {error}.") from error


def _left_over(centred: Array, axes: Array) -> Array:
    """Squared length float32[N] of what lies outside the subspace."""
    explained = (centred @ axes) @ axes.T
    return np.asarray(np.square(centred - explained).sum(axis=1), dtype=np.float32)


def _directions(rows: Array) -> Array:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)
