"""The cell classes a model of this package can name, in their canonical order."""

from __future__ import annotations

from typing import Final

LEUKOCYTES: Final[tuple[str, ...]] = (
    "neutrophil",
    "lymphocyte",
    "monocyte",
    "eosinophil",
    "basophil",
    "immature_granulocyte",
)

CELL_CLASSES: Final[tuple[str, ...]] = (*LEUKOCYTES, "erythroblast", "platelet")

UNIDENTIFIED: Final = "unidentified"
"""Reported instead of a class when the confidence is below the release's threshold."""
