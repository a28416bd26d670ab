"""Judge whether the picture of a smear field is good enough, or another should be taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.fields.focus import edge_blur
from ml.fields.slide import lit_part, see_slide

Code = Literal[
    "too_dark", "too_bright", "too_few_cells", "out_of_focus", "pale_stain", "crowded"
]  # fmt: skip

ADVICE: Final[dict[Code, str]] = {
    "too_dark": "Too dark: raise the light or the exposure and take another picture.",
    "too_bright": "Too bright: lower the light or the exposure and take another picture.",
    "too_few_cells": "Hardly any cells: move to a part of the smear that shows cells and take "
    "another picture.",
    "out_of_focus": "Out of focus: focus again and take another picture.",
    "pale_stain": "Hardly any contrast: check focus, condenser and stain, and take "
    "another picture.",
    "crowded": "Cells lie too close together: move to a thinner part of the smear and take "
    "another picture.",
}

_DARK: Final = 120.0
_CLIPPED: Final = 0.10
_SPARSE: Final = 0.05
_BLURRED: Final = 0.038
_PALE: Final = 0.35
_CROWDED: Final = 0.12
"""Limits; docs/field-quality.md says where they come from."""

_FAINT: Final = 0.20
"""Contrast below which noise and outlines are too much alike to tell focus."""

_FULL: Final = 253
"""Level from which a channel counts as clipped: JPEG takes a little off 255."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """Why another picture should be taken, by a code that stays, and what to do."""

    code: Code
    advice: str


@dataclass(frozen=True, slots=True)
class FieldQuality:
    """Measures of a field, and its problems: none in a good picture."""

    brightness: float
    """Of the empty slide, 0..255."""
    clipped: float
    """Share of pixels, 0..1, with all three channels at their end."""
    covered: float
    """Share of the field that cells cover, 0..1."""
    empty: float
    """Share of the field that is bare slide, 0..1."""
    contrast: float
    """Optical density in green, natural logarithm, that the densest hundredth exceeds."""
    red_cell: float | None
    """Diameter of a red cell in pixels, roughly; None where hardly any are seen."""
    blur: float | None
    """Sigma of the cells' outlines in diameters of a red cell, 0..0.12; None as `red_cell`."""
    problems: tuple[FieldProblem, ...]

    def as_json(self) -> dict[str, object]:
        """The measures, and codes and advice of the problems, as JSON knows them."""
        measures = {
            "brightness": self.brightness,
            "clipped": self.clipped,
            "covered": self.covered,
            "empty": self.empty,
            "contrast": self.contrast,
            "red_cell": self.red_cell,
            "blur": self.blur,
        }
        return {
            "measures": {
                name: None if value is None else round(value, 4) for name, value in measures.items()
            },
            "problems": [{"code": each.code, "advice": each.advice} for each in self.problems],
        }


def judge_field(pixels: NDArray[np.uint8]) -> FieldQuality:
    """Measure a field uint8[H, W, 3] RGB, of 24 pixels a side at least, and name its problems.

    Black round the field, as round an eyepiece, is left out.
    """
    pixels = np.ascontiguousarray(lit_part(pixels))
    slide = see_slide(pixels)
    has_cells = slide.covered >= _SPARSE and slide.contrast >= _FAINT
    red_cell = slide.red_cell if has_cells else None
    measured = FieldQuality(
        brightness=slide.brightness,
        clipped=_clipped_share(slide.small),
        covered=slide.covered,
        empty=float(slide.empty.mean()),
        contrast=slide.contrast,
        red_cell=red_cell,
        blur=None if red_cell is None else edge_blur(pixels, slide, red_cell),
        problems=(),
    )
    codes = (_light_problem(measured), _cell_problem(measured))
    problems = tuple(FieldProblem(code, ADVICE[code]) for code in codes if code)
    return replace(measured, problems=problems)


def _clipped_share(pixels: NDArray[np.uint8]) -> float:
    red, green, blue = cv2.split(pixels)
    return float((np.asarray(cv2.min(cv2.min(red, green), blue)) >= _FULL).mean())


def _light_problem(found: FieldQuality) -> Code | None:
    if found.clipped > _CLIPPED:
        return "too_bright"
    return "too_dark" if found.brightness < _DARK else None


def _cell_problem(found: FieldQuality) -> Code | None:
    """The first of what may be wrong with the cells, as each brings those after it about.

    Too much light washes cells out; blur makes them pale and spreads them over the bare slide.
    """
    if found.blur is not None and found.blur > _BLURRED:
        return "out_of_focus"
    if found.clipped > _CLIPPED:
        return None
    if found.covered < _SPARSE:
        return "too_few_cells"
    if found.contrast < _PALE:
        return "pale_stain"
    return "crowded" if found.empty < _CROWDED else None
