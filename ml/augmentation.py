"""Random views of a cell as another stain, camera, framing or laboratory might show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.framing import Pose, frame
from ml.nucleus import Nucleus
from ml.preprocessing import background_colour
from ml.stain import normalise_stain

# Optical-density vectors of haematoxylin, eosin and the residual; rows are stains, columns RGB.
# Ruifrok & Johnston, Anal Quant Cytol Histol 2001;23:291. Giemsa's azure and eosin lie close.
_STAINS: Final = np.array(
    [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]], dtype=np.float64
)
_UNSTAIN: Final = np.linalg.inv(_STAINS)
_DENSITY: Final = -np.log((np.arange(256, dtype=np.float32) + 1.0) / 256.0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Strength:
    """How far a view may stray. Defaults are wide, as unseen laboratories differ that much."""

    zoom: tuple[float, float] = (0.72, 1.32)
    """Magnification beyond the standard: nuclei are found a little too large or too small."""
    shift: float = 0.08
    tight: tuple[float, float] = (1.3, 2.6)
    """Side of a tightly cut picture, in diameters of the nucleus."""
    coarse: tuple[float, float] = (0.3, 0.8)
    """Side in pixels of a picture of low resolution, over the side of the view."""
    density: tuple[float, float] = (0.45, 1.2)
    """Factor on all optical density: other laboratories stain paler than PBC, hardly darker."""
    stain: float = 0.25
    stain_hue: float = 0.2
    stain_offset: float = 0.06
    white_balance: float = 0.14
    gamma: float = 0.3
    brightness: tuple[float, float] = (0.72, 1.1)
    saturation: float = 0.45
    blur: float = 2.0
    noise: float = 6.0


def augment(
    square: NDArray[np.uint8],
    nucleus: Nucleus | None,
    surroundings: NDArray[np.uint8],
    size: int,
    rng: np.random.Generator,
    strength: Strength = Strength(),
) -> NDArray[np.uint8]:
    """Make one random uint8[size, size, 3] view of a square uint8[S, S, 3] RGB picture.

    `surroundings`, of the same shape, lends its rim: the model must read the cell, not the slide.
    """
    if rng.random() < 0.15:
        square = _swap_surroundings(square, surroundings, rng)
    if nucleus is not None and rng.random() < 0.35:
        square = _cut_tightly(square, nucleus, rng, strength)
    view = frame(square, nucleus, size, _stray(rng, strength))
    if rng.random() < 0.9:
        view = jitter_stain(view, rng, strength)
    view = jitter_camera(view, rng, strength)
    return normalise_stain(degrade(view, rng, strength))


def _swap_surroundings(
    pixels: NDArray[np.uint8], other: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Keep a soft disc round the centre, and take the rest from another image or plain colour."""
    side = pixels.shape[0]
    mask = np.zeros((side, side), dtype=np.float32)
    centre = (side // 2, side // 2)
    cv2.circle(mask, centre, int(side * rng.uniform(0.34, 0.46)), 1.0, thickness=-1)
    soft = cv2.GaussianBlur(mask, (0, 0), side * 0.02)[..., None]
    if rng.random() < 0.3:
        rim = np.empty_like(pixels)
        rim[:] = background_colour(pixels)
    else:
        rim = np.ascontiguousarray(np.rot90(other, int(rng.integers(4))))
    return (pixels * soft + rim * (1.0 - soft)).astype(np.uint8)


def _cut_tightly(
    square: NDArray[np.uint8], nucleus: Nucleus, rng: np.random.Generator, strength: Strength
) -> NDArray[np.uint8]:
    """Empty what lies outside a square round the cell, as where another laboratory cut it so."""
    side = square.shape[0]
    reach = side * nucleus.diameter * rng.uniform(*strength.tight) / 2
    top, left = (max(0, int(middle * side - reach)) for middle in (nucleus.y, nucleus.x))
    bottom, right = (int(middle * side + reach) + 1 for middle in (nucleus.y, nucleus.x))
    cut = np.empty_like(square)
    cut[:] = background_colour(square)
    cut[top:bottom, left:right] = square[top:bottom, left:right]
    return cut


def _stray(rng: np.random.Generator, strength: Strength) -> Pose:
    low, high = np.log(strength.zoom)
    return Pose(
        turn=float(rng.uniform(0, 360)),
        mirrored=bool(rng.random() < 0.5),
        zoom=float(np.exp(rng.uniform(low, high))),
        stretch=float(rng.uniform(0.93, 1.07)),
        shift_x=float(rng.uniform(-strength.shift, strength.shift)),
        shift_y=float(rng.uniform(-strength.shift, strength.shift)),
    )


def jitter_stain(
    view: NDArray[np.uint8], rng: np.random.Generator, strength: Strength
) -> NDArray[np.uint8]:
    """Scale and offset each stain's density (Tellez et al., Med Image Anal 2019;58:101544).

    The stains' own hues stray as well, as dyes differ between makers and batches.
    """
    low, high = np.log(strength.density)
    gain = np.exp(rng.uniform(low, high)) * rng.uniform(1 - strength.stain, 1 + strength.stain, 3)
    offset = rng.uniform(-strength.stain_offset, strength.stain_offset, size=3)
    hues = _STAINS + rng.normal(0, strength.stain_hue, size=(3, 3))
    mix = (_UNSTAIN @ np.diag(gain) @ hues).T
    affine = np.column_stack([mix, offset @ _STAINS]).astype(np.float32)
    density = cv2.transform(_DENSITY[view], affine)
    return _as_bytes(cv2.exp(-density) * 256.0 - 1.0)


def jitter_camera(
    view: NDArray[np.uint8], rng: np.random.Generator, strength: Strength
) -> NDArray[np.uint8]:
    """White balance, gamma and brightness by one table a channel; saturation; now and then grey."""
    ramp = np.arange(256, dtype=np.float64) / 255.0
    gamma = np.exp(rng.uniform(-strength.gamma, strength.gamma))
    gains = rng.uniform(1 - strength.white_balance, 1 + strength.white_balance, size=3)
    light = rng.uniform(*strength.brightness)
    if rng.random() < 0.25:  # balanced as by a camera: the background turns to neutral grey
        gains = _neutralising_gains(view) * (1 + (gains - 1) * 0.3)
    curves = np.clip(ramp[:, None] ** gamma * gains * light, 0, 1) * 255.0
    curved = cv2.LUT(view, curves.astype(np.uint8)[None])
    grey = cv2.cvtColor(curved, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    keep = 1 + rng.uniform(-strength.saturation, strength.saturation)
    return _as_bytes(grey + (curved.astype(np.float32) - grey) * keep)


def _neutralising_gains(view: NDArray[np.uint8]) -> NDArray[np.float64]:
    background = background_colour(view).astype(np.float64).clip(min=32.0)
    return np.asarray(background.mean() / background, dtype=np.float64)


def degrade(
    view: NDArray[np.uint8], rng: np.random.Generator, strength: Strength
) -> NDArray[np.uint8]:
    """Lose detail as small pictures, focus, noise and JPEG do, or sharpen as cameras do."""
    if rng.random() < 0.4:
        view = _coarsen(view, rng.uniform(*strength.coarse))
    chance = rng.random()
    if chance < 0.45:
        view = _as_bytes(cv2.GaussianBlur(view, (0, 0), rng.uniform(0.3, strength.blur)))
    elif chance < 0.6:
        soft = cv2.GaussianBlur(view, (0, 0), 1.0)
        view = _as_bytes(cv2.addWeighted(view, 1.8, soft, -0.8, 0))
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(1, strength.noise), size=view.shape).astype(np.float32)
        view = _as_bytes(view + noise)
    if rng.random() < 0.3:
        quality = int(rng.integers(30, 95))
        _, encoded = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, quality])
        view = _as_bytes(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return view


def _coarsen(view: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    height, width = view.shape[:2]
    few = cv2.resize(view, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )


def _as_bytes(values: Any) -> NDArray[np.uint8]:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)
