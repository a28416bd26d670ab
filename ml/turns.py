"""A view read in several orientations: a smear has no upright, so the mean is the fairer answer."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

QUARTERS: Final = 4


def turns_of(views: NDArray[np.float32], turns: int) -> list[NDArray[np.float32]]:
    """Views float32[..., S, S, C] in `turns` (1, 2 or 4) orientations, the first as they are."""
    return [_turned(views, QUARTERS // turns * number) for number in range(turns)]


def upright(maps: NDArray[np.float32], number: int, turns: int) -> NDArray[np.float32]:
    """Maps float32[..., h, w, C] of the orientation `number`, turned back to that of the view."""
    return _turned(maps, -(QUARTERS // turns) * number)


def _turned(values: NDArray[np.float32], quarters: int) -> NDArray[np.float32]:
    turned = np.rot90(values, quarters, axes=(values.ndim - 3, values.ndim - 2))
    return np.ascontiguousarray(turned, dtype=np.float32)
