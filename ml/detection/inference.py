"""The detector that serves: one release, loaded once, reading fields tile by tile on every core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.cores import usable_cores
from ml.detection.artifact import DetectorSpec, verify_detector
from ml.detection.candidates import Candidates, join, keep_one_each, lie_within
from ml.detection.decoding import decode, mirrored
from ml.detection.objects import (
    KINDS,
    RED_CELL,
    STRIDE,
    Detection,
    FieldReading,
    FieldScale,
    edge_of,
)
from ml.detection.scale import Glimpse, estimate_scale, measured_scale
from ml.detection.tiling import (
    SMALL_TILE,
    TILE,
    ScaledField,
    Tile,
    small_tile,
    tiles_over,
)
from ml.lite import LiteNetwork, Shapes
from ml.serving_form import read_served
from ml.types import BoundingBox

_FLOOR: Final = 0.2
"""Confidence below which nothing is looked at when the scale is estimated."""
_MOST_ENLARGED: Final = 3.0
"""Red cells under 13 pixels are not enlarged further: there is nothing more to see."""
_SPOTS: Final = ((0.5, 0.5), (0.15, 0.15), (0.85, 0.15), (0.15, 0.85), (0.85, 0.85))
"""Where a large field is looked at for its scale, as shares of its sides."""

Network = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], ...]]
"""From a view float32[S, S, 3] to the two outputs that ml/detection/decoding.py describes."""


def load_detector(release_dir: Path) -> ServedDetector:
    """Verify and load a release; raises ArtifactError if it isn't what its spec says.

    Call it in the process that will detect: its threads do not survive a fork.
    """
    spec = verify_detector(release_dir)
    return ServedDetector(spec, open_network(read_served(release_dir, spec.sha256)))


def open_network(served: bytes) -> Network:
    """Open the bytes of a LiteRT file; ArtifactError if it is none, or of other shapes."""
    return LiteNetwork(served, sizes=[SMALL_TILE, TILE], fits=_fits).run


def _fits(given: Shapes) -> bool:
    kinds = len(KINDS)
    sides = {tuple(shape[:3]) for shape in given}
    return [shape[-1] for shape in given] == [kinds, 4 * kinds] and sides <= {
        (1, size // STRIDE, size // STRIDE) for size in (SMALL_TILE, TILE)
    }


class FieldDetector:
    """Finds the objects of a field; one field at a time, its tiles shared out to the cores.

    Memory does not grow with the number of fields, nor with a field's size beyond its own pixels.
    """

    def __init__(self, network: Network, thresholds: Mapping[str, float]) -> None:
        cv2.setNumThreads(1)  # the cores are shared out by tiles, not within one
        self._network = network
        self._thresholds = np.array([thresholds[kind] for kind in KINDS])
        self._pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="detect")

    def detect(self, pixels: NDArray[np.uint8]) -> FieldReading:
        """Find everything in a uint8[H, W, 3] RGB field that is sure enough to report."""
        scale, found = self.find(pixels, floor=float(self._thresholds.min()))
        found = found.only(found.scores >= self._thresholds[found.kinds])
        height, width = pixels.shape[:2]
        margin = edge_of(scale.red_cell)
        detections = (
            _to_detection(box, int(kind), float(score), width, height, margin)
            for box, kind, score in zip(found.boxes, found.kinds, found.scores, strict=True)
        )
        return FieldReading(scale, tuple(detections))

    def find(self, pixels: NDArray[np.uint8], *, floor: float) -> tuple[FieldScale, Candidates]:
        """The scale of a field, and all candidates of at least `floor`, in its pixels."""
        height, width = pixels.shape[:2]
        estimate = self.estimate(pixels)
        scaled = ScaledField(pixels, min(_MOST_ENLARGED, RED_CELL / estimate.red_cell))
        tiles = tiles_over(scaled.width, scaled.height)
        parts = self._pool.map(lambda tile: tile.own(self._read_twice(scaled, tile, floor)), tiles)
        found = scaled.to_field(keep_one_each(join(list(parts))))
        edge = edge_of(estimate.red_cell)
        whole = lie_within(found.boxes, edge, edge, width - edge, height - edge)
        return measured_scale(estimate, found.only(whole)), _inside(found, width, height)

    def estimate(self, pixels: NDArray[np.uint8]) -> FieldScale:
        """The scale of a field, from a part of it if it is large."""
        height, width = pixels.shape[:2]
        return estimate_scale(
            lambda factors: self._glimpse(pixels, factors), width=width, height=height
        )

    def _glimpse(self, pixels: NDArray[np.uint8], factors: Sequence[float]) -> list[Glimpse]:
        return list(self._pool.map(lambda factor: self._look(pixels, factor), factors))

    def _look(self, pixels: NDArray[np.uint8], factor: float) -> Glimpse:
        """Read a few small tiles of a field at one magnification, all of it if it fits in one."""
        scaled = ScaledField(pixels, factor)
        tiles = {small_tile(scaled.width, scaled.height, *spot) for spot in _SPOTS}
        parts = [
            tile.whole(self._read(scaled, tile, _FLOOR), scaled.width, scaled.height)
            for tile in tiles
        ]
        seen = sum(min(tile.size, scaled.width) * min(tile.size, scaled.height) for tile in tiles)
        seen = min(seen, scaled.width * scaled.height)
        return Glimpse(scaled.to_field(keep_one_each(join(parts))), seen / factor**2)

    def _read_twice(self, scaled: ScaledField, tile: Tile, floor: float) -> Candidates:
        """Read a view and its mirror image, and believe their mean."""
        view = scaled.view(tile)
        logits, shapes = self._network(view)
        again, others = self._network(np.ascontiguousarray(view[:, ::-1]))
        half = np.float32(0.5)
        mean = half * (logits + again[:, ::-1]), half * (shapes + mirrored(others))
        return decode(*mean, floor=floor).moved(tile.x, tile.y)

    def _read(self, scaled: ScaledField, tile: Tile, floor: float) -> Candidates:
        logits, shapes = self._network(scaled.view(tile))
        return decode(logits, shapes, floor=floor).moved(tile.x, tile.y)


class ServedDetector(FieldDetector):
    """A release in its serving form, which tells what it is."""

    def __init__(self, spec: DetectorSpec, network: Network) -> None:
        super().__init__(network, spec.thresholds)
        self._spec = spec

    @property
    def name(self) -> str:
        return self._spec.name

    @property
    def version(self) -> str:
        return self._spec.version

    @property
    def sha256(self) -> str:
        return self._spec.sha256


def _inside(found: Candidates, width: int, height: int) -> Candidates:
    """Cut boxes at the picture's edge; what has no pixel in it is no object."""
    limits = np.array([width, height] * 2, dtype=np.float32)
    boxes = found.boxes.clip(0, limits)
    is_there = (boxes[:, 2:] - boxes[:, :2] >= 1.0).all(axis=1)
    return Candidates(boxes, found.kinds, found.scores).only(is_there)


def _to_detection(
    box: NDArray[np.float32], kind: int, score: float, width: int, height: int, margin: float
) -> Detection:
    x0, y0, x1, y1 = (float(value) for value in box)
    corners = BoundingBox(
        min(round(x0), width - 1),
        min(round(y0), height - 1),
        min(width, max(round(x1), round(x0) + 1)),
        min(height, max(round(y1), round(y0) + 1)),
    )
    nearest = min(x0, y0, width - x1, height - y1)
    return Detection(corners, KINDS[kind], score, at_edge=nearest <= margin)
