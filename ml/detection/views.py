"""Random views of a field, as another stain, camera or lens might show it, with their targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.augmentation import Strength, degrade, jitter_camera, jitter_stain
from ml.detection.fields import AnnotatedField
from ml.detection.objects import ERYTHROCYTE, PLATELET, RED_CELL, STRIDE
from ml.detection.stained import doubt_about
from ml.detection.targets import Targets, draw_targets
from ml.preprocessing import decode_image, normalise

SCALES: Final = (0.6, 1.7)
"""Least and largest red cell of a view, over the standard one."""
_SCALE_SPREAD: Final = 0.25
"""Standard deviation of its logarithm: in serving the scale is known to a few hundredths."""
_STRETCH: Final = 0.06
_LEAST_VISIBLE: Final = 0.35
"""Share of a box that a view must show to ask for it; of less, TXL-PBC boxes some, not others."""
_STRENGTH: Final = Strength(coarse=(0.4, 0.9))
"""As for single cells, but a platelet must survive a coarse picture."""


@dataclass(frozen=True, slots=True)
class LoadedField:
    """A decoded field: uint8[H, W, 3] RGB; boxes float32[N, 4] and kinds int64[N] in its pixels.

    `red_cell` is the median red cell's diameter; `doubt` uint8[H, W] is 255 where a red cell or
    platelet without a box may lie, None if all have one.
    """

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    kinds: NDArray[np.int64]
    red_cell: float
    doubt: NDArray[np.uint8] | None


def load_fields(
    fields: Sequence[AnnotatedField], *, on_progress: Callable[[], object] = lambda: None
) -> list[LoadedField]:
    """Decode as serving does, shrunk to what the closest views need; in order."""

    def load(each: AnnotatedField) -> LoadedField:
        loaded = load_field(each)
        on_progress()
        return loaded

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(load, fields))


def load_field(annotated: AnnotatedField) -> LoadedField:
    """Decode one; raises ImageRejected or OSError if its picture cannot be read."""
    pixels = decode_image(annotated.record.path.read_bytes()).pixels
    height, width = pixels.shape[:2]
    red_cell = annotated.red_cell(width, height)
    share = min(1.0, SCALES[1] * RED_CELL / red_cell)
    size = (round(width * share), round(height * share))
    pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    boxes = annotated.boxes * np.float32(share)
    doubt = None if annotated.is_complete else doubt_about(pixels, boxes, annotated.kinds)
    return LoadedField(pixels, boxes, annotated.kinds, red_cell * share, doubt)


def make_view(
    loaded: LoadedField, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Targets]:
    """One random float32[size, size, 3] view in [-1, 1], 0 beyond the picture, and its targets."""
    loaded = _turn(loaded, rng)
    stray = np.exp(rng.normal(0, _SCALE_SPREAD)).clip(*SCALES)
    stretch = np.exp(rng.uniform(-_STRETCH, _STRETCH))
    scale = RED_CELL / loaded.red_cell * stray
    height, width = loaded.pixels.shape[:2]
    across = _choose_span(width, scale * stretch, size, rng)
    down = _choose_span(height, scale / stretch, size, rng)
    patch = _resize(loaded.pixels[down.source, across.source], across.length, down.length)
    view = np.zeros((size, size, 3), dtype=np.float32)
    view[down.place, across.place] = normalise(_recolour(patch, rng))
    return view, _draw(loaded, across, down, size)


@dataclass(frozen=True, slots=True)
class _Span:
    """Along one axis: pixels of the field from `start` to `stop`, and where the view has them."""

    start: int
    stop: int
    offset: int
    length: int

    @property
    def source(self) -> slice:
        return slice(self.start, self.stop)

    @property
    def place(self) -> slice:
        return slice(self.offset, self.offset + self.length)

    @property
    def scale(self) -> float:
        return self.length / (self.stop - self.start)

    def map(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """From pixels of the field to pixels of the view."""
        return np.asarray((values - self.start) * self.scale + self.offset, dtype=np.float32)


def _choose_span(extent: int, scale: float, size: int, rng: np.random.Generator) -> _Span:
    """A part of the field that fills the view or, where it is smaller, all of it somewhere."""
    wanted = round(size / scale)
    if wanted < extent:
        start = int(rng.integers(extent - wanted + 1))
        return _Span(start, start + wanted, 0, size)
    length = min(size, round(extent * scale))
    return _Span(0, extent, int(rng.integers(size - length + 1)), length)


def _turn(loaded: LoadedField, rng: np.random.Generator) -> LoadedField:
    """Mirror it, or not, by either axis and the diagonal: all eight ways a field may lie."""
    pixels, doubt, boxes = loaded.pixels, loaded.doubt, loaded.boxes
    for axis in (0, 1):
        if rng.random() < 0.5:
            extent = pixels.shape[axis]
            pixels = np.flip(pixels, axis)
            doubt = None if doubt is None else np.flip(doubt, axis)
            near, far = (1, 3) if axis == 0 else (0, 2)
            boxes = boxes.copy()
            boxes[:, [near, far]] = extent - boxes[:, [far, near]]
    if rng.random() < 0.5:
        pixels = pixels.swapaxes(0, 1)
        doubt = None if doubt is None else doubt.T
        boxes = boxes[:, [1, 0, 3, 2]]
    return LoadedField(pixels, boxes, loaded.kinds, loaded.red_cell, doubt)


def _resize(part: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if part.shape[1] > width else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=method)
    return np.asarray(resized, dtype=np.uint8)


def _recolour(patch: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    if rng.random() < 0.8:
        patch = jitter_stain(patch, rng, _STRENGTH)
    return degrade(jitter_camera(patch, rng, _STRENGTH), rng, _STRENGTH)


def _draw(loaded: LoadedField, across: _Span, down: _Span, size: int) -> Targets:
    """Targets of what the view shows; nothing is asked where too little of a box, or doubt, is."""
    boxes = loaded.boxes.copy()
    boxes[:, [0, 2]] = across.map(boxes[:, [0, 2]])
    boxes[:, [1, 3]] = down.map(boxes[:, [1, 3]])
    shown = boxes.copy()
    shown[:, [0, 2]] = shown[:, [0, 2]].clip(across.place.start, across.place.stop)
    shown[:, [1, 3]] = shown[:, [1, 3]].clip(down.place.start, down.place.stop)
    visible = _areas(shown) / _areas(boxes)
    is_asked = visible >= _LEAST_VISIBLE
    targets = draw_targets(shown[is_asked], loaded.kinds[is_asked], height=size, width=size)
    is_cut = (visible > 0) & ~is_asked
    for (x0, y0, x1, y1), kind in zip(shown[is_cut], loaded.kinds[is_cut], strict=True):
        rows = slice(int(y0 // STRIDE), int(-(-y1 // STRIDE)))
        columns = slice(int(x0 // STRIDE), int(-(-x1 // STRIDE)))
        targets.heat_weights[rows, columns, kind] = 0.0
    if loaded.doubt is not None:
        _forgive(targets, loaded.doubt, across, down, size)
    targets.heat_weights[targets.heat == 1.0] = 1.0
    return targets


def _forgive(
    targets: Targets, doubt: NDArray[np.uint8], across: _Span, down: _Span, size: int
) -> None:
    """Ask for no red cell or platelet, nor for none, where one may lie that has no box."""
    shown = np.zeros((size, size), dtype=np.uint8)
    part = doubt[down.source, across.source]
    shown[down.place, across.place] = _resize(part, across.length, down.length)
    places = (size // STRIDE, size // STRIDE)
    share = cv2.resize(shown, places, interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    targets.heat_weights[..., [ERYTHROCYTE, PLATELET]] *= 1.0 - share[..., None]


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).clip(min=0).prod(axis=1), dtype=np.float32)
