"""Names for the types that fixtures of this folder hand to tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Encode = Callable[..., bytes]
