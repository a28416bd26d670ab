"""What an explanation leaves behind: transparent layers over the picture, outlines, and words."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.enums import QUICK_METHODS

if TYPE_CHECKING:
    from ml.explain import Explanation as Answer

FOR_COLOUR = (255, 186, 0)
AGAINST_COLOUR = (0, 176, 160)
"""Amber and teal, RGB: far from the stains, and from each other for nearly all eyes."""

OUTLINE_AT = 0.5
"""Outlined is what reaches this share of the strongest place of the picture."""

SIDE = 192
"""Pixels of a layer's longer side: maps are no finer than the 96 to 128 of the network's view."""

_LEAST_AREA = 4.0
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """An explanation ready to be stored: two WebP layers, and the columns of its row."""

    heat: bytes
    against: bytes
    columns: dict[str, Any]


def describe_answer(answer: "Answer", region: tuple[int, int, int, int]) -> Finding:
    """Turn what a method answered about the picture in ``region`` into what is stored.

    Both layers share one scale, so that what speaks for and against can be compared; of Grad-CAM
    only what speaks for the class is shown, as its authors mean it.
    """
    signed = answer.signed
    negative = np.zeros_like(signed) if answer.method in QUICK_METHODS else -signed
    strongest = float(max(signed.max(), negative.max(), 0.0)) or 1.0
    layers = [np.clip(each / strongest, 0.0, 1.0) for each in (signed, negative)]
    return Finding(
        heat=_as_webp(layers[0], FOR_COLOUR),
        against=_as_webp(layers[1], AGAINST_COLOUR) if layers[1].any() else b"",
        columns={
            "region": list(region),
            "outlines": {
                "for": _outline(layers[0]),
                "against": _outline(layers[1]),
                "seen": _seen(signed),
            },
            "probability": answer.probability,
            "scores": _scores(answer),
            "caption": {
                "meaning": answer.meaning,
                "limits": answer.limits,
                "reservations": list(answer.reservations),
            },
            "parameters": {
                **answer.parameters,
                **{name: round(value, _DIGITS) for name, value in answer.findings.items()},
            },
        },
    )


def _as_webp(layer: NDArray[np.float32], colour: tuple[int, int, int]) -> bytes:
    """One colour, as strong as the layer float32[H, W] from 0 to 1 says."""
    height, width = layer.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(layer, size, interpolation=cv2.INTER_AREA)
    pixels = np.empty((*small.shape, 4), dtype=np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = (small * 255.0).round()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="WEBP", lossless=True, exact=True, method=4)
    return buffer.getvalue()


def _outline(layer: NDArray[np.float32]) -> str:
    """The lines round what reaches `OUTLINE_AT`, as an SVG path in the layer's pixels."""
    mask = np.pad((layer >= OUTLINE_AT).astype(np.uint8), 1)  # closed at the picture's rim
    found: Any = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    tolerance = max(layer.shape) / 300
    lines = [
        cv2.approxPolyDP(line, tolerance, closed=True).reshape(-1, 2) - 1
        for line in found
        if cv2.contourArea(line) >= _LEAST_AREA
    ]
    # A pixel's middle lies half a pixel from its corner, where SVG counts from.
    return "".join(
        "M" + "L".join(f"{x + 0.5:g} {y + 0.5:g}" for x, y in line) + "Z" for line in lines
    )


def _seen(signed: NDArray[np.float32]) -> list[int]:
    """What the network saw of the picture, left, top, width, height: elsewhere a map is 0."""
    rows, columns = (np.flatnonzero(signed.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return [0, 0, signed.shape[1], signed.shape[0]]
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]


def _scores(answer: "Answer") -> dict[str, Any]:
    scores = answer.scores
    if scores is None:
        return {}
    return {
        "deletion": round(scores.deletion, _DIGITS),
        "insertion": round(scores.insertion, _DIGITS),
        "random_deletion": round(scores.random_deletion, _DIGITS),
        "random_insertion": round(scores.random_insertion, _DIGITS),
        "deletion_curve": [round(float(each), 4) for each in scores.deletion_curve],
        "insertion_curve": [round(float(each), 4) for each in scores.insertion_curve],
    }
