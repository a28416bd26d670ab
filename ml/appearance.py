"""How stain and camera show a cell, in four figures that drift when either changes."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.nucleus import empty_colour, optical_density
from ml.stain import chromatin_of

_SIDE: Final = 160
"""Pixels to which a view is reduced: colour needs no more."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """Of one cell's view.

    `light`: brightness of the empty slide, 0 to 255, mean of its channels. `warmth`: its red over
    its blue. `density`: optical density of chromatin in red light, about 0.4 (pale) to 1.8 (dark).
    `hue`: its density in blue over that in red, about 0.1 (blue) to 0.8 (purple).
    """

    light: float
    warmth: float
    density: float
    hue: float


SIGNALS: Final = ("light", "warmth", "density", "hue")


def appearance_of(view: NDArray[np.uint8]) -> Appearance:
    """Measure a uint8[H, W, 3] RGB view with a cell in its middle.

    Densities are Beer-Lambert's against the view's own empty slide, so that lamp and exposure tell
    in `light` and `warmth` alone, and the dyes in `density` and `hue` (`ml.stain`, which takes
    chromatin for the bluest two fifths of the middle).
    """
    small = cv2.resize(view, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    pixels = np.ascontiguousarray(small, dtype=np.uint8)
    empty = empty_colour(pixels)
    red, blue = chromatin_of(optical_density(pixels, empty))
    return Appearance(
        light=float(empty.mean()),
        warmth=float(empty[0] / max(float(empty[2]), 1.0)),
        density=red,
        hue=blue / max(red, 0.05),
    )


def as_row(appearance: Appearance) -> tuple[float, ...]:
    """Return the figures in the order of `SIGNALS`."""
    return astuple(appearance)
