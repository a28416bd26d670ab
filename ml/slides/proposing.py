"""Propose the regions of a slide to be read: fields of its monolayer, spread all over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.nucleus import empty_colour
from ml.slides.monolayer import SCALE, SHARP, Look, Merits, coverage_merit, look_at, merits_of
from ml.slides.nuclei import holds_white_cell
from ml.slides.opening import MAX_DECODED
from ml.slides.regions import read_region
from ml.slides.slide import Slide
from ml.types import BoundingBox

FIELD: Final = (130.0, 100.0)
"""Width and height of a region in micrometres: 1300 x 1000 pixels of an objective of 100."""

USUAL_SCALE: Final = 0.1
"""Micrometres a pixel of a slide that tells neither its scale nor its objective: one of 100."""
COARSEST: Final = 1.0
"""Micrometres a pixel beyond which a red cell, 7 pixels then, is not told from its neighbours."""

_PER_POWER: Final = 10.0
"""Micrometres a pixel times the objective's power: 0.25 at 40, 0.5 at 20 in Aperio's scanners."""

_SAMPLES: Final = 32
_TRIES: Final = 6
_TRIES_FOR_WHITE_CELLS: Final = 12
"""Patches looked at first, from the darkest to the lightest part, and then for each region.

At 7 leukocytes in a nanolitre about one field in five holds a white cell.
"""

_APART: Final = 2
"""Least distance of two regions in rows or columns of fields: one field between them."""

_BRIGHTEST: Final = 90
_SHARPEST: Final = 25
"""Percentiles, among patches, for the empty slide and for what counts as sharp."""


class Scaled(Protocol):
    """What tells the scale of a slide, open or not."""

    @property
    def microns_per_pixel(self) -> float | None: ...

    @property
    def objective_power(self) -> float | None: ...


_Spot = tuple[int, int]
"""Row and column of a field."""


@dataclass(frozen=True, slots=True)
class Region:
    """A field of the monolayer; `box` is in pixels of level 0, every merit from 0 to 1."""

    box: BoundingBox
    merits: Merits

    @property
    def goodness(self) -> float:
        return self.merits.goodness


def propose_regions(
    slide: Slide,
    count: int,
    *,
    microns_per_pixel: float | None = None,
    white_cells: bool = False,
) -> list[Region]:
    """Choose up to `count` fields of the monolayer, the best first, none next to another.

    The slide is parted into fields. Its overview tells how light each is on average, and so what
    lies alike. Patches from the lightest to the darkest are read, and what cells cover of them
    tells at which light the monolayer is. Of the fields of that light those are tried first that
    lie far from all tried before and amid their like. Fewer than `count` come back where no more
    pass `ml.slides.monolayer`, none where there is no monolayer or the slide is coarser than
    `COARSEST`: then a person has to choose.

    With `white_cells` only fields that hold one come back (`ml.slides.nuclei`). That leaves their
    proportions as they are but for large nuclei, which are seen a little sooner.

    `microns_per_pixel` overrules what the slide says, as 7.5 over a red cell's diameter in pixels.
    At most 32 + 6 * count patches of one field are read, 32 + 12 * count in search of white cells.
    Raises SlideRejected if damaged.
    """
    fields = _part(slide, microns_per_pixel or scale_of(slide))
    if count < 1 or fields.rows * fields.columns == 0 or fields.scale > COARSEST:
        return []
    light = _light(fields)
    survey = _survey(fields, _samples(light))
    likely = _likely(light, survey.looks)
    found: dict[_Spot, Region] = {}
    tried: list[_Spot] = []
    tries = (_TRIES_FOR_WHITE_CELLS if white_cells else _TRIES) * count
    while len(found) < count and len(tried) < tries:
        spot = _next(likely, tried, list(found))
        if spot is None:
            break
        tried.append(spot)
        merits = survey.merits(spot, white_cells=white_cells)
        if merits is not None and merits.goodness > 0:
            found[spot] = Region(fields.box(spot), merits)
    return sorted(found.values(), key=lambda region: -region.goodness)


def field_size(slide: Scaled) -> tuple[int, int]:
    """Width and height of a region in pixels of the slide."""
    return _size_at(scale_of(slide))


def scale_of(slide: Scaled) -> float:
    """Micrometres a pixel: the slide's own, or else by its objective, or else that of 100."""
    if slide.microns_per_pixel is not None:
        return slide.microns_per_pixel
    return _PER_POWER / slide.objective_power if slide.objective_power else USUAL_SCALE


@dataclass(frozen=True, slots=True)
class _Fields:
    """A slide parted into rows and columns of fields, `width` x `height` pixels of level 0 each."""

    slide: Slide
    scale: float
    width: int
    height: int

    @property
    def rows(self) -> int:
        return self.slide.height // self.height

    @property
    def columns(self) -> int:
        return self.slide.width // self.width

    @property
    def patch_scale(self) -> float:
        return max(SCALE, self.scale)

    def box(self, spot: _Spot) -> BoundingBox:
        top, left = spot[0] * self.height, spot[1] * self.width
        return BoundingBox(left, top, left + self.width, top + self.height)

    def patch(self, spot: _Spot) -> NDArray[np.uint8]:
        """The field, as it is looked at."""
        return read_region(self.slide, self.box(spot), downsample=self.patch_scale / self.scale)


def _part(slide: Slide, scale: float) -> _Fields:
    return _Fields(slide, scale, *_size_at(scale))


def _size_at(scale: float) -> tuple[int, int]:
    width, height = (max(1, round(side / scale)) for side in FIELD)
    return width, height


def _light(fields: _Fields) -> NDArray[np.float32]:
    """Mean green light 0..255 of every field, float32[rows, columns], from an overview."""
    slide = fields.slide
    overview = next(each for each in slide.levels if each.width * each.height <= MAX_DECODED)
    parted = BoundingBox(0, 0, fields.columns * fields.width, fields.rows * fields.height)
    pixels = read_region(slide, parted, downsample=overview.downsample)
    size = (fields.columns, fields.rows)
    green = pixels[..., 1].astype(np.float32)
    return np.asarray(cv2.resize(green, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Survey:
    """Looks at some fields, and the green of empty slide and the blur of sharp cells by them."""

    fields: _Fields
    looks: dict[_Spot, Look]
    empty: float
    sharp: float

    def merits(self, spot: _Spot, *, white_cells: bool) -> Merits | None:
        """Judge a field, of the survey or not; None if a white cell is wanted and it holds none."""
        scale, patch = self.fields.patch_scale, self.fields.patch(spot)
        if white_cells and not holds_white_cell(patch, scale):
            return None
        return merits_of(look_at(patch, self.empty, scale), sharp=self.sharp)


def _survey(fields: _Fields, spots: list[_Spot]) -> _Survey:
    patches = {spot: fields.patch(spot) for spot in spots}
    empty = float(np.percentile([empty_colour(patch)[1] for patch in patches.values()], _BRIGHTEST))
    looks = {spot: look_at(patch, empty, fields.patch_scale) for spot, patch in patches.items()}
    return _Survey(fields, looks, empty, _sharp(looks.values()))


def _samples(light: NDArray[np.float32]) -> list[_Spot]:
    """Fields from the darkest to the lightest in equal steps of light, each once."""
    steps = np.linspace(light.min(), light.max(), _SAMPLES)
    nearest = (int(np.abs(light - step).argmin()) for step in steps)
    return [_spot(light, index) for index in dict.fromkeys(nearest)]


def _spot(grid: NDArray[np.float32], index: int) -> _Spot:
    row, column = divmod(index, grid.shape[1])
    return row, column


def _likely(light: NDArray[np.float32], looks: dict[_Spot, Look]) -> NDArray[np.float32]:
    """How good the coverage of every field and its neighbours is thought to be, by their light.

    What cells cover at one light is the mean of what they cover in the patches, weighted by how
    near their light is (Nadaraya & Watson's kernel regression, 1964), one step of `_samples` wide.
    """
    width = max(float(np.ptp(light)) / _SAMPLES, 1e-3)
    weight = np.zeros(light.shape)
    covered = np.zeros(light.shape)
    for spot, look in looks.items():
        near = np.exp(-0.5 * ((light - light[spot]) / width).astype(np.float64) ** 2) + 1e-12
        weight += near
        covered += near * look.coverage
    merit = coverage_merit(covered / weight).astype(np.float32)
    return np.asarray(cv2.blur(merit, (3, 3)) * (merit > 0), dtype=np.float32)


def _sharp(looks: Iterable[Look]) -> float:
    """Blur of the slide's sharp patches, of those that might be of the monolayer."""
    blurs = [look.blur for look in looks if coverage_merit(np.float64(look.coverage)) > 0]
    return min(SHARP, float(np.percentile(blurs, _SHARPEST))) if blurs else SHARP


def _next(likely: NDArray[np.float32], tried: list[_Spot], found: list[_Spot]) -> _Spot | None:
    """The likely field farthest from all tried before, not next to one found; None if none."""
    rows, columns = np.indices(likely.shape)
    score = likely.copy()
    if tried:
        untried = np.ones(likely.shape, dtype=np.uint8)
        untried[tuple(np.transpose(tried))] = 0
        score *= cv2.distanceTransform(untried, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    for row, column in found:
        score[(np.abs(rows - row) < _APART) & (np.abs(columns - column) < _APART)] = 0
    index = int(score.argmax())
    return _spot(score, index) if score.flat[index] > 0 else None
