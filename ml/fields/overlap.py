"""Find fields of one smear that overlap: by key points, then by what the shared part shows.

Microscope stages shift a slide and hardly turn it, so key points keep their direction and the
transform is a shift with a little turn and scale. What every field of a camera has in the same
place (dust, a time stamp) matches at no shift; the shared part must be alike all over to count.

Run it with OMP_NUM_THREADS=1, set before NumPy is loaded, as the settings do: on two busy cores a
pair takes 1.4 ms so, and 15 where OpenBLAS shares each small product out to threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.fields.features import SIDE, SMALL_SIDE, FieldFeatures

Transform = NDArray[np.float64]
"""float64[2, 3]: x and y of one field, and 1, to x and y of another."""

_ALIKE: Final = 0.8
"""Least cosine of two descriptors."""
_NEAR: Final = 3.0
"""How far, in pixels at SIDE, a key point may lie from where the transform puts it."""
_PLACE: Final = 12.0
"""Side, in pixels at SIDE, of a place: key points round one speck count once."""
_PLACES: Final = 4
"""Fewest places that must agree on a transform."""
_ATTEMPTS: Final = 3
"""Dust or a time stamp may outnumber a small overlap: what fails is set aside, then the rest."""
_SCALE: Final = 1.06
_TURN: Final = np.radians(6)
"""One camera on one stage: true pairs lie within 0.3 % and 0.3 degrees where they share a fifth."""

_WINDOW: Final = 15
"""Side of the windows that are compared, in pixels of the small picture: a tenth of a field."""
_CONTRAST: Final = 6.0
"""Deviation, in grey levels, above which a window shows something to compare."""
_LEAST_AREA: Final = 0.01
"""Share of the small picture that must show something in both fields."""
_AGREEMENT: Final = 0.65
"""Pairs that overlap have 0.8 and more, others at most 0.5: one white cell much like another."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """How field a lies over field b."""

    transform: Transform
    """From pixels of a to pixels of b: a similarity."""
    inliers: int
    """Places, of several key points or one, that agree with it."""
    agreement: float
    """Mean correlation of the windows that show something, -1 to 1."""
    share: float
    """Shared area over the area of the smaller field, both as b shows them; 0 to 1."""
    sizes: tuple[tuple[int, int], tuple[int, int]]
    """Width and height of a and of b, in pixels."""


@dataclass(frozen=True, slots=True)
class OverlappingPair:
    """Two fields, by index, first < second; `overlap` goes from the first to the second."""

    first: int
    second: int
    overlap: Overlap


def find_overlaps(features: Sequence[FieldFeatures]) -> list[OverlappingPair]:
    """Every overlapping pair among the fields of a case, in order."""
    roots = [_unit_vectors(each) for each in features]
    found = []
    for second, b in enumerate(features):
        for first, a in enumerate(features[:second]):
            overlap = _match(a, b, roots[first], roots[second])
            if overlap:
                found.append(OverlappingPair(first, second, overlap))
    return sorted(found, key=lambda pair: (pair.first, pair.second))


def match(a: FieldFeatures, b: FieldFeatures) -> Overlap | None:
    """How a lies over b, or None if they share nothing that can be told."""
    return _match(a, b, _unit_vectors(a), _unit_vectors(b))


def _match(
    a: FieldFeatures,
    b: FieldFeatures,
    roots_a: NDArray[np.float32],
    roots_b: NDArray[np.float32],
) -> Overlap | None:
    index_a, index_b = _mutual(roots_a, roots_b)
    points_a = a.points[index_a] / np.float32(a.unit)
    points_b = b.points[index_b] / np.float32(b.unit)
    for transform, inliers in _fits(points_a, points_b):
        agreement = agreement_of(a.small, b.small, transform)
        if agreement >= _AGREEMENT:
            return _overlap(a, b, transform, inliers, agreement)
    return None


def _unit_vectors(features: FieldFeatures) -> NDArray[np.float32]:
    """The roots of a descriptor that sums to 1 are a vector of length 1."""
    return features.descriptors.astype(np.float32) / np.float32(255)


def _mutual(
    roots_a: NDArray[np.float32], roots_b: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of descriptors that are each other's nearest, and near."""
    if not len(roots_a) or not len(roots_b):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    cosines = roots_a @ roots_b.T
    best = cosines.argmax(axis=1)
    mine = np.arange(len(best))
    keep = (cosines.argmax(axis=0)[best] == mine) & (cosines[mine, best] >= _ALIKE)
    return mine[keep], best[keep]


def _fits(
    points_a: NDArray[np.float32], points_b: NDArray[np.float32]
) -> Iterator[tuple[Transform, int]]:
    """Transforms at SIDE, with the number of places that agree; the most supported first."""
    for _ in range(_ATTEMPTS):
        if len(points_a) < _PLACES:
            return
        transform, inside = cv2.estimateAffinePartial2D(
            points_a, points_b, ransacReprojThreshold=_NEAR, maxIters=500
        )
        is_inside = np.asarray(inside).ravel() > 0
        if transform is None or not is_inside.any():
            return
        fit, places = np.asarray(transform, dtype=np.float64), _places(points_b[is_inside])
        if _is_plausible(fit) and places >= _PLACES:
            yield fit, places
        points_a, points_b = points_a[~is_inside], points_b[~is_inside]


def _places(points: NDArray[np.float32]) -> int:
    cells = np.floor(points / _PLACE)
    return len(set(zip(*cells.T.tolist(), strict=True)))


def _is_plausible(transform: Transform) -> bool:
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    turn = float(np.arctan2(transform[1, 0], transform[0, 0]))
    return 1 / _SCALE < scale < _SCALE and abs(turn) < _TURN


def agreement_of(
    small_a: NDArray[np.uint8], small_b: NDArray[np.uint8], transform: Transform
) -> float:
    """Mean correlation of windows, once a is laid over b; -1 where too little is shown to tell.

    `transform` is at SIDE. Windows are compared one by one, so that neither vignetting nor a time
    stamp of high contrast decides; those that are empty in both fields do not count.
    """
    to_small = transform.copy()
    to_small[:, 2] *= SMALL_SIDE / SIDE
    size = (small_b.shape[1], small_b.shape[0])
    laid = cv2.warpAffine(small_a, to_small, size).astype(np.float32)
    inside = cv2.warpAffine(np.full_like(small_a, 255), to_small, size) == 255
    one, two, both = _moments(laid, small_b.astype(np.float32), inside.astype(np.float32))
    shows = inside & (np.maximum(one, two) > _CONTRAST**2)
    if shows.sum() < _LEAST_AREA * shows.size:
        return -1.0
    floor = _CONTRAST**2 / 4
    return float((both / np.sqrt(np.maximum(one, floor) * np.maximum(two, floor)))[shows].mean())


def _moments(
    one: NDArray[np.float32], two: NDArray[np.float32], inside: NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Variance of each picture and their covariance, in windows round every pixel."""

    def total(values: NDArray[np.float32]) -> NDArray[np.float32]:
        side = (_WINDOW, _WINDOW)
        return np.asarray(cv2.blur(values * inside, side, borderType=cv2.BORDER_CONSTANT))

    weight = np.maximum(total(np.ones_like(one)), 1 / _WINDOW**2)
    mean_one, mean_two = total(one) / weight, total(two) / weight
    return (
        total(one * one) / weight - mean_one * mean_one,
        total(two * two) / weight - mean_two * mean_two,
        total(one * two) / weight - mean_one * mean_two,
    )


def _overlap(
    a: FieldFeatures, b: FieldFeatures, transform: Transform, inliers: int, agreement: float
) -> Overlap:
    """The same in pixels of the fields."""
    full = transform * b.unit
    full[:, :2] /= a.unit
    sizes = ((a.width, a.height), (b.width, b.height))
    return Overlap(full, inliers, agreement, shared_area(full, *sizes), sizes)


def shared_area(transform: Transform, size_a: tuple[int, int], size_b: tuple[int, int]) -> float:
    """Area that both fields show over that of the smaller one, as b shows them; 0 to 1."""
    laid, frame = corners(size_a) @ transform[:, :2].T + transform[:, 2], corners(size_b)
    area, _ = cv2.intersectConvexConvex(laid.astype(np.float32), frame.astype(np.float32))
    smaller = min(cv2.contourArea(each.astype(np.float32)) for each in (laid, frame))
    return min(1.0, float(area) / smaller)


def corners(size: tuple[int, int]) -> NDArray[np.float64]:
    """float64[4, 2]: the corners of a field, clockwise from the top left."""
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
