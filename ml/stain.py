"""Bring every stain and camera to one: a white slide, and chromatin of one density and hue."""

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

_CHROMATIN_BLUENESS: Final = 0.366
"""Density of chromatin in blue light over that in red, that of the May-Grünwald-Giemsa of PBC."""

_GAINS: Final = (0.4, 3.0)
_MOST_SHEAR: Final = 0.8
_LEAST_DENSITY: Final = 0.25


def normalise_stain(view: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rebalance a uint8[S, S, 3] RGB view with the cell in its middle.

    Works on optical density (Macenko et al., ISBI 2009), with one gain for all dyes. Azure, which
    alone absorbs red, then takes the standard's hue: where it lies, as much blue density is added
    as chromatin lacks. Eosin and haemoglobin keep theirs.
    """
    density = optical_density(view, empty_colour(view))
    red, blue = chromatin_of(density)
    gain = (_CHROMATIN_DENSITY / max(red, _LEAST_DENSITY)) ** _STRENGTH
    lacking = _CHROMATIN_BLUENESS - blue / max(red, _LEAST_DENSITY)
    density[..., 2] += np.float32(np.clip(lacking, -_MOST_SHEAR, _MOST_SHEAR)) * density[..., 0]
    light = np.exp(-density * np.float32(np.clip(gain, *_GAINS)))
    return np.asarray((_WHITE * light).clip(0, 255), dtype=np.uint8)


def chromatin_of(density: NDArray[np.float32]) -> tuple[float, float]:
    """Median red and blue density of the bluest two fifths of the middle quarter of a view.

    `density` is float32[H, W, 3], as `ml.nucleus.optical_density` gives it.
    """
    rim = density.shape[0] // 4
    middle = density[rim:-rim, rim:-rim].reshape(-1, 3)
    blueness = middle[:, 0] - 0.6 * middle[:, 2]
    chromatin = middle[blueness >= np.quantile(blueness, 0.6)]
    red, blue = np.median(chromatin[:, [0, 2]], axis=0)
    return float(red), float(blue)
