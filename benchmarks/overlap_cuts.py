"""Overlapping fields of a known share, cut from drawn smears and from pairs of real fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.fields.overlap import Transform, shared_area
from ml.synthetic import render_field

Pixels = NDArray[np.uint8]

SHARES: Final = (0.05, 0.10, 0.15, 0.20, 0.30, 0.50)
_STAMP: Final = "2026-03-14 10:21:07"


@dataclass(frozen=True, slots=True)
class Cut:
    """Two fields and how the first lies over the second."""

    first: Pixels
    second: Pixels
    transform: Transform
    share: float


def drawn_cuts(
    *, share: float, count: int, size: tuple[int, int], red_cell: int, seed: int = 0
) -> Iterator[Cut]:
    """Cut two views from each of `count` drawn smears: turned, scaled, lit and stored anew."""
    width, height = size
    for number in range(count):
        rng = np.random.default_rng([seed, number, round(share * 100)])
        smear = _smear(number, 2 * width + 80, 2 * height + 80, red_cell)
        shift = _shift(rng, share, size)
        start = np.where(shift < 0, -shift, 0) + 40
        steady = np.array([[1, 0, -start[0]], [0, 1, -start[1]]], dtype=np.float64)
        moved = _about(np.array(size) / 2, rng.uniform(-2, 2), rng.uniform(0.98, 1.02))
        moved[:, 2] -= moved[:, :2] @ (start + shift)
        first, second = (
            photograph(np.asarray(cv2.warpAffine(smear, each, size), dtype=np.uint8), rng)
            for each in (steady, moved)
        )
        onto = moved.copy()
        onto[:, 2] += moved[:, :2] @ start
        yield Cut(first, second, onto, shared_area(onto, size, size))


@lru_cache(maxsize=20)
def _smear(number: int, width: int, height: int, red_cell: int) -> Pixels:
    """Drawing takes longest; every share is cut from the same ones."""
    return render_field(1000 + number, width, height, 8, red_cell)


def real_cuts(
    pairs: list[Cut], *, share: float, size: tuple[int, int], seed: int = 0
) -> Iterator[Cut]:
    """Cut a window of `size` from both fields of each pair that can then share so much, +-2 %."""
    for number, pair in enumerate(pairs):
        rng = np.random.default_rng([seed, number, round(share * 100)])
        for _ in range(2000):
            offsets = [
                rng.integers(0, np.array(picture.shape[1::-1]) - np.array(size), endpoint=True)
                for picture in (pair.first, pair.second)
            ]
            onto = pair.transform.copy()
            onto[:, 2] += pair.transform[:, :2] @ offsets[0] - offsets[1]
            shared = shared_area(onto, size, size)
            if abs(shared - share) < 0.02:
                windows = [
                    np.ascontiguousarray(picture[y : y + size[1], x : x + size[0]])
                    for picture, (x, y) in zip((pair.first, pair.second), offsets, strict=True)
                ]
                yield Cut(windows[0], windows[1], onto, shared)
                break


def photograph(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """As one camera might take it: light, focus, vignetting, dust, a time stamp, JPEG."""
    height, width = pixels.shape[:2]
    taken = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 1.5) * width / 640)
    taken = taken * rng.uniform(0.8, 1.15) * _vignette(width, height)
    taken = np.clip(taken + rng.normal(0, 2, pixels.shape), 0, 255).astype(np.uint8)
    dust = np.random.default_rng(99)
    for _ in range(12):
        spot = (int(dust.uniform(0, width)), int(dust.uniform(0, height)))
        cv2.circle(taken, spot, max(2, width // 160), (90, 90, 90), -1, cv2.LINE_AA)
    left, base, scale = width // 40, height - height // 24, width / 1000
    cv2.putText(taken, _STAMP, (left, base), 0, scale, (250, 250, 60), 2, cv2.LINE_AA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", taken, quality)[1], cv2.IMREAD_COLOR))


def _vignette(width: int, height: int) -> NDArray[np.float32]:
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(1 - 0.12 * (rows**2 + columns**2), dtype=np.float32)[..., None]


def _shift(rng: np.random.Generator, share: float, size: tuple[int, int]) -> NDArray[np.float64]:
    """Of a view that shares `share` with one that is not shifted, in any direction."""
    along = share ** rng.uniform(0, 1)
    kept = np.array([along, share / along])
    return np.asarray((1 - kept) * size * rng.choice([-1, 1], 2))


def _about(centre: NDArray[np.float64], degrees: float, scale: float) -> Transform:
    return np.asarray(cv2.getRotationMatrix2D(tuple(map(float, centre)), degrees, scale))
