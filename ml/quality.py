"""Tell pictures too blurred to be named, cells cut in two by the edge, and mere specks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.framing import frame
from ml.nucleus import Nucleus, find_nucleus
from ml.preprocessing import CANVAS, fit_square
from ml.stain import normalise_stain

_FINE: Final = 2.0
_MEDIUM: Final = 4.0
_COARSE: Final = 8.0
"""Sigmas in pixels of a view 96 px wide, in which the nucleus fills 48."""

_SHARP: Final = 0.6
_BLURRED: Final = 1.3
"""`blur_of` in the median cell of PBC, and that which 99 % of cells are below in BCCD, and of PBC
at 48 px a cell; see docs/novelty.md."""

_GATHERED: Final = 1.05
_SCATTERED: Final = 1.85
"""`Nucleus.scatter` in the median cell of PBC; and between the largest of 1,153 cells of PBC, 1.73,
and the least of noise of 60 to 360 px, 1.99."""

_STANDARD_SIDE: Final = 96
_RIM: Final = 0.125
"""Share of the view left out on each side: surroundings may lie in another plane of focus."""


def blur_of(view: NDArray[np.uint8]) -> float:
    """How little fine detail a view uint8[S, S, 3] RGB has for what coarse detail it has.

    Minus the logarithm of the energy of red optical density between sigmas of 2 and 4 px over
    that between 4 and 8 px: the slope of the spectrum, at the scale of the nucleus. Neither
    magnification nor contrast nor the picture's size in pixels moves it much. Energies
    of filtered images measure focus: Subbarao & Tyan, IEEE TPAMI 1998;20:864. 0.2 to 1.1 in PBC.
    """
    red = np.log(np.float32(256.0) / (view[..., 0].astype(np.float32) + np.float32(1.0)))
    scale = view.shape[0] / _STANDARD_SIDE
    fine, medium, coarse = (
        np.asarray(cv2.GaussianBlur(red, (0, 0), sigma * scale), dtype=np.float32)
        for sigma in (_FINE, _MEDIUM, _COARSE)
    )
    rim = round(_RIM * view.shape[0])
    inner = (slice(rim, -rim), slice(rim, -rim))
    detail = float(np.square(fine - medium)[inner].mean())
    shape = float(np.square(medium - coarse)[inner].mean())
    return float(-np.log((detail + 1e-7) / (shape + 1e-7)))


def overhang_of(nucleus: Nucleus, width: int, height: int) -> float:
    """How far the nucleus reaches over the edge of its picture, in its own radii.

    `nucleus` is in shares of the square that `fit_square` makes of a `width` x `height` picture.
    A disc that just touches the edge has 0, one cut through its middle about 0.5, since what is
    left of it has its own, nearer centre; a nucleus well inside the picture is far below 0.
    """
    longer = max(width, height)
    spare_x, spare_y = (1.0 - width / longer) / 2, (1.0 - height / longer) / 2
    room = min(
        nucleus.x - spare_x,
        1.0 - spare_x - nucleus.x,
        nucleus.y - spare_y,
        1.0 - spare_y - nucleus.y,
    )
    return 1.0 - room / (nucleus.diameter / 2)


@dataclass(frozen=True, slots=True)
class Quality:
    """How far a picture is from one that can be read: each 0 or below in most, above 1 refused."""

    blur: float
    cut: float
    scatter: float

    @property
    def worst(self) -> float:
        return max(self.blur, self.cut, self.scatter)


NO_CELL: Final = Quality(blur=0.0, cut=np.inf, scatter=0.0)
"""Of a picture without anything stained like a nucleus."""


def quality_of(
    view: NDArray[np.uint8], nucleus: Nucleus | None, width: int, height: int
) -> Quality:
    """Judge the view uint8[S, S, 3] that `to_view` made of a `width` x `height` picture.

    `nucleus` is what `find_nucleus` found in it, to which the view was cut.
    """
    if nucleus is None:
        return NO_CELL
    return Quality(
        blur=(blur_of(view) - _SHARP) / (_BLURRED - _SHARP),
        cut=1.0 + overhang_of(nucleus, width, height),
        scatter=(nucleus.scatter - _GATHERED) / (_SCATTERED - _GATHERED),
    )


def examine(pixels: NDArray[np.uint8], size: int) -> Quality:
    """As `quality_of`, from the uint8[H, W, 3] RGB picture itself."""
    height, width = pixels.shape[:2]
    canvas = fit_square(pixels, CANVAS)
    nucleus = find_nucleus(canvas)
    return quality_of(normalise_stain(frame(canvas, nucleus, size)), nucleus, width, height)
