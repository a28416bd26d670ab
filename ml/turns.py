"""A view read in several orientations: a smear has no upright, so the mean is the fairer answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

QUARTERS = 4


def turns_of(view: NDArray[np.float32], turns: int) -> list[NDArray[np.float32]]:
    """The view float32[S, S, C] in `turns` (1, 2 or 4) orientations, the first as it is."""
    step = QUARTERS // turns
    return [np.ascontiguousarray(np.rot90(view, step * number)) for number in range(turns)]


def upright(maps: NDArray[np.float32], number: int, turns: int) -> NDArray[np.float32]:
    """Maps float32[h, w, C] of the orientation `number`, turned back to that of the view."""
    return np.asarray(np.rot90(maps, -(QUARTERS // turns) * number), dtype=np.float32)
