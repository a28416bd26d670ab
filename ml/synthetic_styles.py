"""How each class of cell looks under May-Grünwald-Giemsa, for `ml.synthetic` to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Colour = tuple[float, float, float]
"""Optical density in red, green and blue."""

AZUROPHIL: Final[Colour] = (0.35, 0.75, 0.25)


@dataclass(frozen=True, slots=True)
class Style:
    """How a class looks under May-Grünwald-Giemsa; colours are densities in R, G, B."""

    diameter: tuple[float, float]
    cytoplasm: Colour
    nucleus: Colour
    shape: str
    nucleus_size: float
    """Nuclear over cell diameter, or lobe size for lobed nuclei."""
    clumps: float
    """Strength of the chromatin's texture."""
    granules: int = 0
    granule_size: float = 0.0
    granule: Colour = AZUROPHIL
    over_nucleus: bool = False
    vacuoles: int = 0
    ragged: float = 0.03


STYLES: Final[dict[str, Style]] = {
    "neutrophil": Style(
        (1.75, 2.05), (0.13, 0.25, 0.15), (1.25, 1.72, 0.62), "lobes", 0.30, 0.22,
        granules=260, granule_size=0.022, granule=(0.12, 0.34, 0.14),
    ),
    "lymphocyte": Style(
        (1.20, 1.50), (0.62, 0.60, 0.18), (1.22, 1.66, 0.58), "round", 0.86, 0.20, ragged=0.04,
    ),
    "monocyte": Style(
        (2.00, 2.35), (0.46, 0.55, 0.28), (1.05, 1.45, 0.52), "kidney", 0.72, 0.26,
        granules=120, granule_size=0.018, granule=(0.20, 0.36, 0.12), vacuoles=7, ragged=0.09,
    ),
    "eosinophil": Style(
        (1.75, 2.00), (0.16, 0.52, 0.36), (1.18, 1.58, 0.52), "bilobed", 0.37, 0.20,
        granules=330, granule_size=0.052, granule=(0.13, 0.55, 0.42),
    ),
    "basophil": Style(
        (1.60, 1.85), (0.55, 0.85, 0.32), (0.85, 1.20, 0.42), "lobes", 0.36, 0.12,
        granules=190, granule_size=0.055, granule=(0.80, 1.20, 0.40), over_nucleus=True,
        ragged=0.05,
    ),
    "immature_granulocyte": Style(
        (2.05, 2.45), (0.40, 0.58, 0.22), (0.98, 1.45, 0.46), "indented", 0.70, 0.24,
        granules=240, granule_size=0.028, granule=(0.34, 0.62, 0.18), ragged=0.04,
    ),
    "erythroblast": Style(
        (1.20, 1.45), (0.50, 0.52, 0.30), (1.62, 1.92, 0.92), "round", 0.60, 0.16, ragged=0.04,
    ),
    "platelet": Style(
        (0.50, 0.68), (0.30, 0.50, 0.16), (0.0, 0.0, 0.0), "none", 0.0, 0.0,
        granules=46, granule_size=0.032, granule=(0.42, 0.70, 0.20), ragged=0.10,
    ),
}  # fmt: skip
