"""Cut a cell out at one scale: its nucleus in the middle, filling a set share of the view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.nucleus import Nucleus, empty_colour

NUCLEUS_SHARE: Final = 0.5
"""Diameter of the nucleus over the side of the view; most whole cells then fill 0.6 to 0.9."""

WHOLE: Final = Nucleus(0.5, 0.5, NUCLEUS_SHARE)
"""Stands in where no nucleus is found: the whole picture is the view."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How a view strays from the standard one; angles in degrees, shifts as shares of the view."""

    turn: float = 0.0
    mirrored: bool = False
    zoom: float = 1.0
    stretch: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0


STANDARD: Final = Pose()


def frame(
    square: NDArray[np.uint8], nucleus: Nucleus | None, size: int, pose: Pose = STANDARD
) -> NDArray[np.uint8]:
    """Cut the uint8[size, size, 3] view of a cell from a square uint8[S, S, 3] RGB picture.

    What lies outside the picture is filled with the colour of the empty slide.
    """
    matrix = view_matrix(square.shape[0], nucleus or WHOLE, size, pose)
    shrinking = 1.0 / float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    empty = [float(value) for value in empty_colour(square)]
    if shrinking > 1.2:  # a bilinear warp does not average over the pixels that it skips
        square = np.asarray(cv2.GaussianBlur(square, (0, 0), 0.35 * shrinking), dtype=np.uint8)
    view = cv2.warpAffine(
        square, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=empty
    )
    return np.asarray(view, dtype=np.uint8)


def view_matrix(
    side: int, nucleus: Nucleus, size: int, pose: Pose = STANDARD
) -> NDArray[np.float64]:
    """Affine map float64[2, 3] from pixels of the square picture to pixels of the view."""
    x, y = nucleus.x * side, nucleus.y * side
    scale = size * pose.zoom * NUCLEUS_SHARE / (nucleus.diameter * side)
    matrix = np.asarray(cv2.getRotationMatrix2D((x, y), pose.turn, scale), dtype=np.float64)
    matrix[0] *= -pose.stretch if pose.mirrored else pose.stretch
    middle = matrix @ np.array([x, y, 1.0])
    shift = np.array([pose.shift_x, pose.shift_y]) * size
    matrix[:, 2] += size / 2 - middle + shift
    return matrix
