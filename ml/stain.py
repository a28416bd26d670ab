"""Bring every stain and camera to one: a white slide, and chromatin of one density."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.nucleus import empty_colour, optical_density

_WHITE: Final = 235.0
_CHROMATIN_DENSITY: Final = 1.1
"""Optical density in red light that the chromatin of every picture is brought towards."""

_STRENGTH: Final = 0.8
"""How far towards: 1 would hide that some nuclei are denser than others."""

_GAINS: Final = (0.4, 3.0)


def normalise_stain(view: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rebalance a uint8[S, S, 3] RGB view with the cell in its middle.

    Works on optical density (Macenko et al., ISBI 2009) with one gain for all dyes, so hues stay.
    """
    density = optical_density(view, empty_colour(view))
    gain = (_CHROMATIN_DENSITY / max(_chromatin_density(density), 0.25)) ** _STRENGTH
    light = np.exp(-density * float(np.clip(gain, *_GAINS)))
    return np.asarray((_WHITE * light).clip(0, 255), dtype=np.uint8)


def _chromatin_density(density: NDArray[np.float32]) -> float:
    """Median red density of the bluest two fifths of the middle quarter of the view."""
    rim = density.shape[0] // 4
    middle = density[rim:-rim, rim:-rim].reshape(-1, 3)
    blueness = middle[:, 0] - 0.6 * middle[:, 2]
    return float(np.median(middle[blueness >= np.quantile(blueness, 0.6), 0]))
