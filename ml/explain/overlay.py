"""Show explanations without hiding the cell: tinted pictures, and sheets with a legend."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ml.explain.explanation import TITLES, Explanation

TINT: Final = (255, 186, 0)
"""Amber, RGB: far from every stain on the axis from blue to yellow, which nearly all people see."""

OUTLINE_AT: Final = 0.5
_SHORTEST: Final = 320
"""Smaller pictures are enlarged for drawing, so that lines stay thin, pixels."""

_STRENGTH: Final = 0.8
_INK: Final = "#22262b"
_QUIET: Final = "#5b6470"
_PANEL_INCHES: Final = 3.0
_MARGIN: Final = 0.22
_GAP: Final = 0.1
_HEAD: Final = 0.66
_LINE: Final = 0.15


def draw_overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Tint uint8[H, W, 3] RGB by heat float32[H, W] in 0 to 1; enlarged if small, uint8 RGB.

    The tint changes hue and saturation and leaves lightness, so that chromatin and granules stay
    as sharp as they were. A black and white line runs where the heat is `OUTLINE_AT`.
    """
    scale = max(1, -(-_SHORTEST // min(pixels.shape[:2])))
    size = (pixels.shape[1] * scale, pixels.shape[0] * scale)
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    warm = np.clip(cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    tinted = _tint(np.asarray(large, dtype=np.uint8), np.asarray(warm, dtype=np.float32))
    return _outline(tinted, np.asarray(warm, dtype=np.float32))


def draw_sheet(
    pixels: NDArray[np.uint8], explanations: Sequence[Explanation], title: str
) -> NDArray[np.uint8]:
    """The picture beside its explanations, with scores, legend and captions: uint8[h, w, 3] RGB.

    All explanations are of one picture and one class.
    """
    panels = 1 + len(explanations)
    notes = _notes(explanations, width=50 * panels)
    width = _PANEL_INCHES * panels + 2 * _MARGIN
    foot = _HEAD + _PANEL_INCHES * _aspect(pixels) + 0.62
    height = foot + 0.55 + _LINE * len(notes) + _MARGIN
    figure = Figure(figsize=(width, height), dpi=110, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    sheet = _Sheet(figure, width, height)
    _write_head(sheet, explanations[0], title)
    _place(sheet, 0, pixels, "Picture", "")
    for column, explanation in enumerate(explanations, start=1):
        overlay = draw_overlay(pixels, explanation.heat)
        _place(sheet, column, overlay, TITLES[explanation.method], _scores(explanation))
    _draw_legend(sheet, foot)
    sheet.write(_MARGIN + _GAP / 2, foot + 0.55, "\n".join(notes), 7.5, _QUIET)
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3].copy()


def _tint(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    lab = _to_lab(pixels)
    amber = _to_lab(np.array([[TINT]], dtype=np.uint8))
    lab[..., 1:] += _STRENGTH * heat[..., None] * (amber[..., 1:] - lab[..., 1:])
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.asarray((rgb * 255.0).round().clip(0, 255), dtype=np.uint8)


def _to_lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    scaled = pixels.astype(np.float32) / np.float32(255.0)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), dtype=np.float32)


def _outline(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    mask = np.pad((heat >= OUTLINE_AT).astype(np.uint8), 1)  # closed at the picture's rim
    found: Any = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    lines = [np.asarray(line - 1) for line in found]
    drawn = pixels.copy()
    cv2.polylines(drawn, lines, True, (0, 0, 0), 3, cv2.LINE_AA)  # noqa: FBT003 - OpenCV's order
    cv2.polylines(drawn, lines, True, (255, 255, 255), 1, cv2.LINE_AA)  # noqa: FBT003
    return drawn


class _Sheet:
    """A figure that is laid out in inches from its top left corner."""

    def __init__(self, figure: Figure, width: float, height: float) -> None:
        self.figure, self.width, self.height = figure, width, height

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        low = self.height - top - height
        return self.figure.add_axes(
            (left / self.width, low / self.height, width / self.width, height / self.height)
        )

    def write(self, left: float, top: float, text: str, size: float, colour: str) -> None:
        self.figure.text(
            left / self.width,
            1.0 - top / self.height,
            text,
            size=size,
            color=colour,
            va="top",
            linespacing=1.25,
        )


def _write_head(sheet: _Sheet, explanation: Explanation, title: str) -> None:
    subject = explanation.class_name.replace("_", " ")
    head = f"{subject}, probability {explanation.probability:.3f}"
    sheet.write(_MARGIN + _GAP / 2, 0.14, head, 12, _INK)
    origin = f"{title} · {explanation.model} {explanation.version}"
    sheet.write(_MARGIN + _GAP / 2, 0.38, origin, 8, _QUIET)


def _place(sheet: _Sheet, column: int, picture: NDArray[np.uint8], name: str, note: str) -> None:
    side = _PANEL_INCHES - _GAP
    left = _MARGIN + column * _PANEL_INCHES + _GAP / 2
    high = side * _aspect(picture)
    axes = sheet.axes(left, _HEAD, side, high)
    axes.imshow(picture, interpolation="lanczos")
    axes.set_axis_off()
    sheet.write(left, _HEAD + high + 0.06, name, 9.5, _INK)
    sheet.write(left, _HEAD + high + 0.25, note, 7.5, _QUIET)


def _scores(explanation: Explanation) -> str:
    scores = explanation.scores
    if scores is None:
        return ""
    return (
        f"deletion {scores.deletion:.2f} (random {scores.random_deletion:.2f})\n"
        f"insertion {scores.insertion:.2f} (random {scores.random_insertion:.2f})"
    )


def _draw_legend(sheet: _Sheet, top: float) -> None:
    """The tint on neutral grey, from no heat to full, with the outline's mark."""
    bar = sheet.axes(_MARGIN + 0.05, top, 1.8, 0.12)
    heat = np.tile(np.linspace(0.0, 1.0, 256, dtype=np.float32), (2, 1))
    grey = np.full((2, 256, 3), 205, dtype=np.uint8)
    bar.imshow(_tint(grey, heat), extent=(0, 1, 0, 1), aspect="auto")
    bar.axvline(OUTLINE_AT, color="black", linewidth=2.6)
    bar.axvline(OUTLINE_AT, color="white", linewidth=1.0)
    bar.set_axis_off()
    for place, name in ((0.0, "none"), (0.85, "half"), (1.57, "most")):
        sheet.write(_MARGIN + 0.05 + place, top + 0.15, name, 7, _QUIET)
    legend = (
        "What raised the score, as a share of this picture's most.\n"
        "Better than random: lower deletion, higher insertion."
    )
    sheet.write(_MARGIN + 2.05, top - 0.02, legend, 7.5, _QUIET)


def _notes(explanations: Sequence[Explanation], width: int) -> list[str]:
    doubted: dict[str, list[str]] = {}
    for each in explanations:
        for reason in each.reservations:
            doubted.setdefault(reason, []).append(TITLES[each.method])
    sentences = [f"Caution, {', '.join(names)}: {reason}" for reason, names in doubted.items()]
    sentences += [each.meaning for each in explanations]
    sentences.append(explanations[0].limits)
    return [line for sentence in sentences for line in textwrap.wrap(sentence, width)]


def _aspect(pixels: NDArray[np.uint8]) -> float:
    return pixels.shape[0] / pixels.shape[1]
