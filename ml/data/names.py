"""Names that image sets give to the cell classes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ml.classes import CELL_CLASSES
from ml.errors import DatasetError

_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "neutrophil": ("neutrophils", "neut", "neu", "ne", "bne", "sne", "segmented neutrophil",
                   "band neutrophil", "seg"),
    "lymphocyte": ("lymphocytes", "lymph", "lym", "ly"),
    "monocyte": ("monocytes", "mono", "mon", "mo"),
    "eosinophil": ("eosinophils", "eos", "eo"),
    "basophil": ("basophils", "baso", "bas", "ba"),
    "immature_granulocyte": ("immature granulocytes", "immature granulocyte", "ig", "igs",
                             "promyelocyte", "myelocyte", "metamyelocyte", "pmy", "my", "mmy"),
    "erythroblast": ("erythroblasts", "erb", "normoblast", "nrbc"),
    "platelet": ("platelets", "plt", "thrombocyte", "thrombocytes"),
}  # fmt: skip


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]+", " ", name).strip().lower()


_CLASS_OF: Final = {
    **{_plain(name): name for name in CELL_CLASSES},
    **{_plain(other): name for name, others in _SYNONYMS.items() for other in others},
}


def class_of(name: str) -> str | None:
    """The class that a set's name means, whatever its case and separators; None if unknown."""
    return _CLASS_OF.get(_plain(name))


def class_names_of(names: Iterable[str]) -> dict[str, str]:
    """Map each name to its class; raise DatasetError that lists every unknown name."""
    found = {name: class_of(name) for name in sorted(set(names))}
    unknown = [name for name, label in found.items() if label is None]
    if unknown:
        raise DatasetError(
            f"Unknown class names: {', '.join(unknown)}. Known are {', '.join(CELL_CLASSES)} "
            "and their usual abbreviations; rename or remove those folders or rows."
        )
    return {name: label for name, label in found.items() if label is not None}
