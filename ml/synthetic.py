"""Draw stained blood cells and smears, marked SYNTHETIC, for a product without real images.

Everything is composed as optical density (Beer-Lambert), as stains add up in a real smear, and
lengths are in red-cell diameters (about 7.5 micrometres). The same seed gives the same picture.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.classes import CELL_CLASSES
from ml.synthetic_styles import STYLES, Style

Array = NDArray[np.float32]

_MARK: Final = "SYNTHETIC"
_RED_CELLS_PER_FRAME: Final = 4.6
"""Red-cell diameters across the frame of a cell, as in the CellaVision frames of PBC."""

_BACKGROUND: Final = np.array([252, 232, 212], dtype=np.float32)
_RED_CELL: Final = np.array([0.25, 0.36, 0.26], dtype=np.float32)


_FIELD_MIX: Final = (0.60, 0.26, 0.07, 0.03, 0.01, 0.02, 0.01, 0.0)
"""Shares of the classes among a field's nucleated cells, near those of healthy adults."""


def render_cell(cell_class: str, seed: int, size: int = 360) -> NDArray[np.uint8]:
    """Draw one cell amid red cells, as a camera would cut it out; uint8[size, size, 3] RGB."""
    style = STYLES[cell_class]
    rng = np.random.default_rng([seed, CELL_CLASSES.index(cell_class)])
    unit = size / _RED_CELLS_PER_FRAME
    centre = size / 2 + rng.normal(0, 0.012 * size, size=2)
    density = _blank(size, size)
    clear = 0.5 * style.diameter[1] * unit
    keep = [(centre, clear)]
    _scatter_platelets(density, unit, rng, count=int(rng.integers(0, 3)), keep=keep)
    _scatter_red_cells(density, unit, rng, crowding=rng.uniform(0.55, 0.95), keep=keep)
    _paint_cell(density, centre, unit, style, rng)
    return _photograph(density, rng)


def render_field(
    seed: int, width: int = 1280, height: int = 960, cells: int = 4, red_cell: int = 70
) -> NDArray[np.uint8]:
    """Draw a smear with `cells` white cells; `red_cell` is a red cell's diameter in pixels."""
    rng = np.random.default_rng([seed, width, height])
    density = _blank(height, width)
    unit = float(red_cell)
    keep: list[tuple[NDArray[np.float64], float]] = []
    for _ in range(cells * 20):
        spot = rng.uniform([1.4 * unit] * 2, [width - 1.4 * unit, height - 1.4 * unit])
        if len(keep) < cells and all(np.hypot(*(spot - other)) > 3 * unit for other, _ in keep):
            keep.append((spot, 1.05 * unit))
    white_cells = [spot for spot, _ in keep]
    platelets = int(width * height / unit**2 * 0.06)
    _scatter_platelets(density, unit, rng, count=platelets, keep=keep)
    _scatter_red_cells(density, unit, rng, crowding=0.9, keep=keep)
    for spot in white_cells:
        style = STYLES[str(rng.choice(CELL_CLASSES, p=_FIELD_MIX))]
        _paint_cell(density, spot, unit, style, rng)
    return _photograph(density, rng)


def _blank(height: int, width: int) -> Array:
    return np.zeros((height, width, 3), dtype=np.float32)


def _noise(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> Array:
    """Smooth random texture of zero mean and unit deviation; `sigma` in pixels."""
    coarse = max(1, int(sigma / 4))  # what is smooth anyway is drawn small and enlarged
    small = (-(-shape[0] // coarse), -(-shape[1] // coarse))
    grain = rng.normal(size=small).astype(np.float32)
    field = cv2.GaussianBlur(grain, (0, 0), max(sigma / coarse, 0.3))
    if coarse > 1:
        field = cv2.resize(field, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6), dtype=np.float32)


def _scatter_red_cells(
    density: Array,
    unit: float,
    rng: np.random.Generator,
    *,
    crowding: float,
    keep: list[tuple[NDArray[np.float64], float]],
) -> None:
    """Drop red cells at random, a few overlapping, none under the cells in `keep`."""
    height, width = density.shape[:2]
    wanted = int(crowding * (height + unit) * (width + unit) / unit**2)
    placed = np.empty((wanted, 2))
    count = 0
    for _ in range(wanted * 6):
        if count >= wanted:
            break
        spot = rng.uniform([-0.5 * unit] * 2, [width + 0.5 * unit, height + 0.5 * unit])
        gap = (0.72 if rng.random() < 0.12 else 1.02) * unit
        is_free = bool((((placed[:count] - spot) ** 2).sum(axis=1) > gap**2).all())
        if is_free and all(np.hypot(*(spot - c)) > r + 0.42 * unit for c, r in keep):
            placed[count] = spot
            count += 1
            _add(density, _red_cell(unit, rng), spot)


def _red_cell(unit: float, rng: np.random.Generator) -> Array:
    """A biconcave disc: dense rim, pale middle, soft edge."""
    side = int(unit * 1.5) | 1
    radius = 0.5 * unit * rng.normal(1.0, 0.05)
    away = _polar_distance(side, radius, rng, wobble=0.025, stretch=rng.uniform(1.0, 1.16))
    edge = _soften(away, radius, 0.018 * unit)
    pallor = rng.uniform(0.40, 0.88) * np.exp(-((away / rng.uniform(0.40, 0.60)) ** 3))
    rim = 1.0 + 0.22 * np.exp(-(((away - 0.93) / 0.06) ** 2))
    shade = edge * (1.0 - pallor) * rim * rng.normal(1.0, 0.07)
    shade *= 1.0 + 0.03 * _noise((side, side), 0.05 * unit, rng)
    return np.asarray(shade[..., None] * _RED_CELL, dtype=np.float32)


def _polar_distance(
    side: int, radius: float, rng: np.random.Generator, *, wobble: float, stretch: float = 1.0
) -> Array:
    """Distance from the middle over the outline's radius there: 1.0 on a wavy, oval outline."""
    middle = (side - 1) / 2
    rows, columns = np.mgrid[:side, :side].astype(np.float32) - np.float32(middle)
    turn = rng.uniform(0, np.pi)
    along = columns * np.cos(turn) + rows * np.sin(turn)
    across = -columns * np.sin(turn) + rows * np.cos(turn)
    along, across = along / stretch**0.5, across * stretch**0.5
    angle = np.arctan2(across, along)
    outline = np.ones_like(angle)
    for wave in range(2, 8):
        outline += wobble / wave**0.7 * rng.normal() * np.cos(wave * angle + rng.uniform(0, 6.28))
    return np.asarray(np.hypot(along, across) / (radius * outline), dtype=np.float32)


def _add(density: Array, patch: Array, centre: NDArray[np.float64]) -> None:
    """Add a square patch of density round `centre`, clipped at the frame."""
    _lay(density, patch, np.zeros(patch.shape[:2], dtype=np.float32), centre)


def _lay(density: Array, patch: Array, cover: Array, centre: NDArray[np.float64]) -> None:
    """Add a patch, after taking away what lies below its `cover` (0..1)."""
    side = patch.shape[0]
    left, top = (round(float(value)) - side // 2 for value in centre)
    height, width = density.shape[:2]
    x0, x1 = max(0, left), min(width, left + side)
    y0, y1 = max(0, top), min(height, top + side)
    if x0 >= x1 or y0 >= y1:
        return
    inner = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    window = density[y0:y1, x0:x1]
    window *= 1.0 - cover[inner][..., None]
    window += patch[inner]


def _scatter_platelets(
    density: Array,
    unit: float,
    rng: np.random.Generator,
    *,
    count: int,
    keep: list[tuple[NDArray[np.float64], float]],
) -> None:
    """Drop platelets clear of what is in `keep`, and add them to it."""
    height, width = density.shape[:2]
    for _ in range(count):
        spot = rng.uniform([0, 0], [width, height])
        if all(np.hypot(*(spot - c)) > r + 0.5 * unit for c, r in keep):
            _paint_cell(density, spot, unit * rng.uniform(0.6, 0.9), STYLES["platelet"], rng)
            keep.append((spot, 0.2 * unit))


def _paint_cell(
    density: Array,
    centre: NDArray[np.float64],
    unit: float,
    style: Style,
    rng: np.random.Generator,
) -> None:
    """Lay one cell over the red cells: cytoplasm, granules, nucleus, vacuoles."""
    radius = 0.5 * unit * rng.uniform(*style.diameter)
    side = int(radius * 3.2) | 1
    stretch = float(rng.uniform(1.0, 1.14))
    away = _polar_distance(side, radius, rng, wobble=style.ragged, stretch=stretch)
    cell = _soften(away, radius, 0.020 * unit)
    strength = float(rng.normal(1.0, 0.06))
    body = _cytoplasm(away, unit, style, rng) * np.asarray(style.cytoplasm, dtype=np.float32)
    nucleus = _nucleus(side, radius, style, rng) * cell
    granules = _granules(away, unit, style, nucleus, rng)[..., None]
    body = body + granules * np.asarray(style.granule, dtype=np.float32)
    chromatin = _chromatin(nucleus, unit, style, rng) * np.asarray(style.nucleus, dtype=np.float32)
    veil = 0.0 if not style.over_nucleus else 0.55
    body = body * (1.0 - nucleus[..., None] * (1.0 - veil)) + chromatin
    body *= 1.0 - 0.75 * _vacuoles(away, unit, style, nucleus, rng)[..., None]
    _lay(density, body * cell[..., None] * strength, cell, centre)


def _soften(away: Array, radius: float, width: float) -> Array:
    """Turn a relative distance into a mask 0..1 whose edge is `width` pixels soft."""
    steep = np.clip((away - 1.0) * radius / width, -50.0, 50.0)
    return np.asarray(1.0 / (1.0 + np.exp(steep)), dtype=np.float32)


def _cytoplasm(away: Array, unit: float, style: Style, rng: np.random.Generator) -> Array:
    """Uneven body, a little denser towards the membrane."""
    shape = (away.shape[0], away.shape[1])
    mottle = 1.0 + 0.10 * _noise(shape, 0.10 * unit, rng) + 0.07 * _noise(shape, 0.02 * unit, rng)
    membrane = 1.0 + 0.30 * np.exp(-(((away - 0.97) / 0.05) ** 2))
    return np.asarray((mottle * membrane).clip(0.2)[..., None], dtype=np.float32)


def _nucleus(side: int, radius: float, style: Style, rng: np.random.Generator) -> Array:
    """Mask 0..1 of the nucleus in a patch of the cell."""
    if style.shape == "none":
        return np.zeros((side, side), dtype=np.float32)
    if style.shape == "lobes":
        mask = _draw_lobes(side, radius, style.nucleus_size, int(rng.integers(2, 6)), rng)
    elif style.shape == "bilobed":
        mask = _draw_lobes(side, radius, style.nucleus_size, 2, rng)
    else:
        mask = _draw_bean(side, radius, style, rng)
    smooth = cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.055 * radius))
    return np.asarray(1.0 / (1.0 + np.exp(-(smooth - 0.5) * 16.0)), dtype=np.float32)


def _draw_lobes(
    side: int, radius: float, size: float, count: int, rng: np.random.Generator
) -> Array:
    """Lobes strung along an arc by thin bridges; two drawn thick make a band now and then."""
    mask = np.zeros((side, side), dtype=np.float32)
    middle = side / 2
    turn, bend = rng.uniform(0, 2 * np.pi), rng.uniform(0.42, 0.52) * radius
    sweep = {2: 2.5, 3: 3.4, 4: 4.2, 5: 4.8}[count]
    angles = turn + np.linspace(-sweep / 2, sweep / 2, count) + rng.normal(0, 0.12, count)
    spots = middle + bend * np.column_stack([np.cos(angles), np.sin(angles)])
    lobe = size * radius * {2: 1.12, 3: 1.05, 4: 0.95, 5: 0.86}[count]
    for spot in spots:
        axes = lobe * rng.uniform(0.85, 1.15, size=2)
        _fill_ellipse(mask, spot, axes, rng.uniform(0, 180))
    is_band = count < 4 and rng.random() < 0.25
    thickness = max(1, int((1.25 if is_band else 0.42) * lobe))
    path = np.linspace(angles[0], angles[-1], 24)
    curve = middle + bend * np.column_stack([np.cos(path), np.sin(path)])
    cv2.polylines(mask, [curve.round().astype(np.int32)], isClosed=False, color=1.0,
                  thickness=thickness)  # fmt: skip
    return mask


def _draw_bean(side: int, radius: float, style: Style, rng: np.random.Generator) -> Array:
    """One round nucleus, off-centre, with a dent for kidney shapes."""
    inner = radius * style.nucleus_size * rng.uniform(0.95, 1.06)
    away = _polar_distance(side, inner, rng, wobble=0.035, stretch=rng.uniform(1.0, 1.2))
    mask = (away < 1.0).astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(turn), np.sin(turn)])
    depth = {"kidney": rng.uniform(0.55, 0.8), "indented": rng.uniform(0.0, 0.4)}.get(style.shape)
    if depth is not None:
        spot = side / 2 + direction * inner * (1.45 - 0.75 * depth)
        dent = np.zeros_like(mask)
        _fill_ellipse(dent, spot, np.array([0.62, 0.5]) * inner, float(np.degrees(turn)))
        mask *= 1.0 - dent
    room = max(0.0, radius - inner) * rng.uniform(0.3, 0.75)
    shift = np.array([[1, 0, -direction[0] * room], [0, 1, -direction[1] * room]])
    return np.asarray(cv2.warpAffine(mask, shift, (side, side)), dtype=np.float32)


def _fill_ellipse(
    mask: Array, centre: NDArray[np.float64], axes: NDArray[np.float64], turn: float
) -> None:
    point = (round(float(centre[0])), round(float(centre[1])))
    size = (max(1, round(float(axes[0]))), max(1, round(float(axes[1]))))
    cv2.ellipse(mask, point, size, turn, 0, 360, 1.0, thickness=-1)


def _chromatin(mask: Array, unit: float, style: Style, rng: np.random.Generator) -> Array:
    """Density of the nucleus: clumps, strands and a darker membrane."""
    shape = (mask.shape[0], mask.shape[1])
    clumps = _noise(shape, 0.055 * unit, rng) * 0.7 + _noise(shape, 0.022 * unit, rng) * 0.5
    inner = cv2.GaussianBlur(mask, (0, 0), 0.05 * unit)
    membrane = 0.18 * (mask * (1.0 - inner)) / 0.25
    return np.asarray(
        (mask * (1.0 + style.clumps * clumps + membrane).clip(0.35))[..., None], dtype=np.float32
    )


def _granules(
    away: Array, unit: float, style: Style, nucleus: Array, rng: np.random.Generator
) -> Array:
    """Round grains strewn over the cytoplasm, and over the nucleus where the class has it so."""
    grains = np.zeros(away.shape, dtype=np.float32)
    allowed = away < 0.93
    if not style.over_nucleus:
        allowed &= nucleus < 0.5
    rows, columns = np.nonzero(allowed)
    if style.granules == 0 or len(rows) == 0:
        return grains
    for index in rng.integers(len(rows), size=int(style.granules * rng.uniform(0.85, 1.15))):
        size = style.granule_size * unit * rng.uniform(0.7, 1.25)
        _add_grain(grains, int(rows[index]), int(columns[index]), size, rng.uniform(0.6, 1.2))
    return grains.clip(0.0, 1.5)


def _add_grain(grains: Array, row: int, column: int, size: float, strength: float) -> None:
    reach = int(np.ceil(size * 2)) + 1
    top, left = max(0, row - reach), max(0, column - reach)
    window = grains[top : row + reach + 1, left : column + reach + 1]
    rows, columns = np.ogrid[: window.shape[0], : window.shape[1]]
    squared = (rows + top - row) ** 2 + (columns + left - column) ** 2
    bump = strength * np.exp(-((squared / size**2) ** 1.5))
    np.maximum(window, bump.astype(np.float32), out=window)


def _vacuoles(
    away: Array, unit: float, style: Style, nucleus: Array, rng: np.random.Generator
) -> Array:
    """Small clear bubbles in the cytoplasm."""
    holes = np.zeros(away.shape, dtype=np.float32)
    rows, columns = np.nonzero((away < 0.85) & (nucleus < 0.2))
    if style.vacuoles == 0 or len(rows) == 0:
        return holes
    for index in rng.integers(len(rows), size=int(rng.integers(1, style.vacuoles + 1))):
        size = rng.uniform(0.04, 0.09) * unit
        _add_grain(holes, int(rows[index]), int(columns[index]), size, 1.0)
    return holes


def _photograph(density: Array, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Shine light through, blur a little, add uneven lighting, sensor noise and the mark."""
    height, width = density.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    slope = rng.uniform(-0.02, 0.02, size=2)
    light = 1.0 + slope[0] * (rows / height - 0.5) + slope[1] * (columns / width - 0.5)
    light += 0.004 * _noise((height, width), 0.08 * min(height, width), rng)
    tint = _BACKGROUND * (1.0 + rng.normal(0, 0.008, size=3)).astype(np.float32)
    picture = np.exp(-density) * light[..., None] * tint
    picture = cv2.GaussianBlur(picture, (0, 0), 0.7)
    picture = cv2.addWeighted(picture, 1.35, cv2.GaussianBlur(picture, (0, 0), 1.6), -0.35, 0)
    picture += rng.normal(0, 1.6, size=picture.shape).astype(np.float32)
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    return _mark(pixels)


def _mark(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Write SYNTHETIC in the lower left corner, small but legible."""
    height, width = pixels.shape[:2]
    scale = max(0.3, min(height, width) / 1000.0)
    spot = (max(2, width // 90), height - max(4, height // 70))
    cv2.putText(pixels, _MARK, spot, cv2.FONT_HERSHEY_SIMPLEX, scale, (70, 60, 90), 1, cv2.LINE_AA)
    return pixels
