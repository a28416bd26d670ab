"""What is remembered of a field to tell whether another one overlaps it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE: Final = 480
"""Longer side, in pixels, at which key points are sought, whatever the size of the field."""

SMALL_SIDE: Final = 160
"""Longer side of the small picture: a third of SIDE, to compare contents by."""

KEYPOINTS: Final = 400
"""At most so many, the strongest; a field of BCCD has 370."""

_CONTRAST: Final = 0.01
_EDGES: Final = 20.0
"""A quarter of Lowe's contrast and double his edges: red cells are pale, and mostly rim."""

_HEAD: Final = struct.Struct("<4sIIHHH")
_MAGIC: Final = b"FLD1"


@dataclass(frozen=True, slots=True, eq=False)
class FieldFeatures:
    """A field as `match` needs it; N is at most KEYPOINTS.

    Descriptors are upright SIFT (Lowe 2004) as square roots (RootSIFT, Arandjelovic 2012) x 255.
    """

    points: NDArray[np.float32]
    """[N, 2]: x and y of key points, in pixels of the field."""
    descriptors: NDArray[np.uint8]
    """[N, 128]."""
    small: NDArray[np.uint8]
    """[h, w]: the field in grey, its longer side SMALL_SIDE."""
    width: int
    height: int

    @property
    def unit(self) -> float:
        """Pixels of the field that make one pixel at SIDE."""
        return max(self.width, self.height) / SIDE

    def to_bytes(self) -> bytes:
        """As `from_bytes` reads it: about 48 kB a field of BCCD, 53 kB at most."""
        head = (self.width, self.height, len(self.points), self.small.shape[1], self.small.shape[0])
        parts = (self.points.astype("<f4"), self.descriptors, self.small)
        body = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
        return _HEAD.pack(_MAGIC, *head) + zlib.compress(body, 6)

    @classmethod
    def from_bytes(cls, data: bytes) -> FieldFeatures:
        """Read what `to_bytes` wrote; ValueError if it is anything else."""
        try:
            magic, width, height, count, across, down = _HEAD.unpack_from(data)
            body = zlib.decompress(data[_HEAD.size :])
        except (struct.error, zlib.error) as error:
            raise ValueError("not the features of a field") from error
        split = (count * 8, count * 136)
        if magic != _MAGIC or len(body) != split[1] + across * down:
            raise ValueError("not the features of a field")
        return cls(
            points=np.frombuffer(body[: split[0]], dtype="<f4").reshape(-1, 2).astype(np.float32),
            descriptors=np.frombuffer(body[split[0] : split[1]], dtype=np.uint8).reshape(-1, 128),
            small=np.frombuffer(body[split[1] :], dtype=np.uint8).reshape(down, across),
            width=width,
            height=height,
        )


def describe(pixels: NDArray[np.uint8]) -> FieldFeatures:
    """Find key points in uint8[H, W, 3] RGB pixels of a field, at one scale for every size."""
    height, width = pixels.shape[:2]
    grey = np.asarray(cv2.cvtColor(_resized(pixels, SIDE), cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    sift = cv2.SIFT.create(contrastThreshold=_CONTRAST, edgeThreshold=_EDGES)
    points, vectors = _described(sift, grey, _upright(sift.detect(grey)))
    where = np.array([point.pt for point in points], dtype=np.float32).reshape(-1, 2)
    unit = max(width, height) / SIDE
    return FieldFeatures(
        points=where * np.float32(unit),
        descriptors=_roots(vectors),
        small=_resized(grey, SMALL_SIDE),
        width=width,
        height=height,
    )


def _resized(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=how), dtype=np.uint8)


def _upright(points: Sequence[cv2.KeyPoint]) -> list[cv2.KeyPoint]:
    """The strongest, each place once and unturned: round cells differ in how they are turned."""
    places: dict[tuple[float, float, int], cv2.KeyPoint] = {}
    for point in sorted(points, key=lambda point: -point.response):
        point.angle = 0.0
        places.setdefault((point.pt[0], point.pt[1], point.octave), point)
    return list(places.values())[:KEYPOINTS]


def _described(
    sift: cv2.SIFT, grey: NDArray[np.uint8], points: Sequence[cv2.KeyPoint]
) -> tuple[Sequence[cv2.KeyPoint], NDArray[np.float32]]:
    """Points and their float32[N, 128]; without points SIFT is not asked, as strips break it."""
    if not points:
        return points, np.empty((0, 128), dtype=np.float32)
    points, vectors = sift.compute(grey, points)
    return points, np.asarray(vectors, dtype=np.float32).reshape(-1, 128)


def _roots(descriptors: NDArray[np.float32]) -> NDArray[np.uint8]:
    sums = np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)
    return np.rint(np.sqrt(descriptors / sums) * 255).astype(np.uint8)
