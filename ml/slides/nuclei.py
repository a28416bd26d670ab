"""Tell by its nucleus whether a patch of a smear holds a white cell."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.nucleus import empty_colour, optical_density

_HAEMOGLOBIN: Final = np.float32(0.7)
"""Share of haemoglobin's density in blue light that it has in red at most; azure has more."""
_AZURE: Final = 0.2
"""Density of azure in red light, beyond haemoglobin's, from which on it counts as chromatin."""
_LEAST_NUCLEUS: Final = 15.0
"""Square micrometres. Of 80 fields each of BCCD and BCDD 98 in 100 with a white cell have a patch
of 24 and more, 95 in 100 with the white cells painted over one of 6 and less."""
_SMOOTH: Final = 0.5
"""Sigma in micrometres."""


def holds_white_cell(pixels: NDArray[np.uint8], microns_per_pixel: float) -> bool:
    """Whether a patch uint8[H, W, 3] RGB shows chromatin in one piece as large as a nucleus.

    Platelets are smaller. It is a sieve for what is worth reading, not a detector.
    """
    density = optical_density(pixels, empty_colour(pixels))
    azure = (density[..., 0] - _HAEMOGLOBIN * density[..., 2]).clip(min=0.0)
    soft = cv2.GaussianBlur(azure, (0, 0), _SMOOTH / microns_per_pixel)
    chromatin = (np.asarray(soft) > _AZURE).astype(np.uint8)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(chromatin)
    largest = statistics[1:, cv2.CC_STAT_AREA].max(initial=0)
    return bool(largest * microns_per_pixel**2 >= _LEAST_NUCLEUS)
