"""Divide a view into small patches of like colour, the parts that LIME and SHAP cover."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

COMPACTNESS: Final = 25.0
"""Weight of nearness against colour (CIELAB units across one patch)."""

_ROUNDS: Final = 10
_SMOOTHING: Final = 2.0
"""Deviation in pixels of a blur before, so that chromatin's texture does not fray the patches."""

_FEATHER: Final = 2.0
"""Deviation in pixels of the soft edge between two patches."""


def divide(view: NDArray[np.uint8], wanted: int) -> NDArray[np.int64]:
    """Label the patches of a uint8[S, S, 3] RGB view: int64[S, S] from 0, about `wanted` of them.

    SLIC (Achanta et al., PAMI 2012): k-means over CIELAB and place from a regular grid. Every
    pixel is compared with every centre, which at this size is as fast as the local search.
    """
    size = view.shape[0]
    across = max(2, round(wanted**0.5))
    points = _points(view, step=size / across)
    labels = _grid(size, across)
    for _ in range(_ROUNDS):
        counts = np.bincount(labels).clip(min=1)
        sums = [np.bincount(labels, weights=column) for column in points.T]
        centres = np.stack(sums, axis=1) / counts[:, None]
        nearness = points @ centres.T - 0.5 * (centres**2).sum(axis=1)
        nearness[:, np.bincount(labels, minlength=len(centres)) == 0] = -np.inf
        labels = nearness.argmax(axis=1)
    _, labels = np.unique(labels, return_inverse=True)
    return np.asarray(labels.reshape(size, size), dtype=np.int64)


def soften(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Turn int64[S, S] into soft parts float32[M, S, S] that add up to 1 at every pixel."""
    parts = [(labels == label).astype(np.float32) for label in range(int(labels.max()) + 1)]
    blurred = [cv2.GaussianBlur(part, (0, 0), _FEATHER) for part in parts]
    stacked = np.asarray(np.stack(blurred), dtype=np.float32)
    return np.asarray(stacked / stacked.sum(axis=0), dtype=np.float32)


def _points(view: NDArray[np.uint8], step: float) -> NDArray[np.float64]:
    """Colour and place of every pixel, float64[S * S, 5], in comparable units."""
    smooth = cv2.GaussianBlur(view.astype(np.float32) / np.float32(255.0), (0, 0), _SMOOTHING)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    rows, columns = np.mgrid[: view.shape[0], : view.shape[1]] * (COMPACTNESS / step)
    return np.asarray(np.dstack([lab, rows, columns]).reshape(-1, 5), dtype=np.float64)


def _grid(size: int, across: int) -> NDArray[np.int64]:
    cell = np.arange(size) * across // size
    return np.asarray((cell[:, None] * across + cell[None, :]).ravel(), dtype=np.int64)
