"""How large a red cell is in a field, found by looking at it through several magnifications."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.detection.candidates import Candidates
from ml.detection.objects import ERYTHROCYTE, LEUKOCYTE, RED_CELL, WHITE_TO_RED, FieldScale

GUESSES: Final = (14.0, 28.0, 56.0, 112.0, 224.0, 448.0)
"""Diameters of a red cell, in pixels, to try first: from 10 to 640 one of them is right to half an
octave, which is as far as training strays (ml/detection/views.py)."""

_SURE: Final = 0.3
"""Confidence of a cell that may say how large cells are."""
_BELIEVED: Final = (0.55, 1.8)
"""Least and largest diameter, over the standard, that is believed of what is seen at one guess."""
_ENOUGH: Final = 3
"""Red cells whose median is better than one white cell's size over its usual ratio."""
_USUAL: Final = 4.6
"""Red cells along the shorter side of a picture that shows none: the median of BCCD, PBC, BCDD."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What is seen of a part of a field: whole cells in pixels of the field; the part's area."""

    found: Candidates
    area: float


Look = Callable[[Sequence[float]], list[Glimpse]]
"""Looks at a field, or at parts of it, magnified by each of several factors."""


def estimate_scale(look: Look, *, width: int, height: int) -> FieldScale:
    """Find the scale of a field of so many pixels: the best of all guesses, refined by one look.

    Only whole cells count. Without any, the size of the picture has to do.
    """
    guesses = [guess for guess in GUESSES if guess < min(width, height)] or [GUESSES[0]]
    glimpses = look([RED_CELL / guess for guess in guesses])
    for kind, ratio, least in (
        (ERYTHROCYTE, 1.0, _ENOUGH),
        (LEUKOCYTE, WHITE_TO_RED, 1),
        (ERYTHROCYTE, 1.0, 1),
    ):
        sizes = [
            _believed(glimpse, kind, guess * ratio)
            for guess, glimpse in zip(guesses, glimpses, strict=True)
        ]
        best = int(np.argmax([size.covered for size in sizes]))
        if len(sizes[best].diameters) >= least:
            return _refine(look, sizes[best], kind=kind, ratio=ratio)
    return FieldScale(min(width, height) / _USUAL, 0, "picture")


def measured_scale(estimate: FieldScale, found: Candidates) -> FieldScale:
    """The scale that all whole red cells of a field tell, if enough; else the estimate."""
    chosen = (found.kinds == ERYTHROCYTE) & (found.scores >= _SURE)
    diameters = found.diameters[chosen]
    if len(diameters) < _ENOUGH:
        return estimate
    return FieldScale(float(np.median(diameters)), len(diameters), "erythrocytes")


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Diameters float32[N] in pixels of the field, and the share of its area that they cover."""

    diameters: NDArray[np.float32]
    covered: float


def _believed(glimpse: Glimpse, kind: int, usual: float) -> _Sizes:
    """The sure cells of a kind whose size is not far from the usual: others are mistaken parts.

    Cover is weighted by confidence. At the wrong guess cells are seen unsurely, or sizes of which
    the network never saw one.
    """
    found, diameters = glimpse.found, glimpse.found.diameters
    is_believed = (
        (found.kinds == kind)
        & (found.scores >= _SURE)
        & (diameters > _BELIEVED[0] * usual)
        & (diameters < _BELIEVED[1] * usual)
    )
    covered = (found.scores[is_believed] * diameters[is_believed] ** 2).sum() / glimpse.area
    return _Sizes(diameters[is_believed], float(covered))


def _refine(look: Look, seen: _Sizes, *, kind: int, ratio: float) -> FieldScale:
    """Look again at the scale that cells just seen tell; of `ratio` red cells' diameter each."""
    usual = float(np.median(seen.diameters))
    (glimpse,) = look([RED_CELL * ratio / usual])
    again = _believed(glimpse, kind, usual).diameters
    diameters = again if len(again) else seen.diameters
    return FieldScale(
        red_cell=float(np.median(diameters)) / ratio,
        cells=len(diameters),
        basis="erythrocytes" if kind == ERYTHROCYTE else "leukocytes",
    )
