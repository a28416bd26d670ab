"""What a reader finds in a source, before any picture is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.types import BoundingBox

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled picture in a file or, where the source packs them, as uint8[H, W, 3] RGB."""

    key: str
    label: str
    path: Path | None = None
    pixels: NDArray[np.uint8] | None = None
    group: str = ""
    """Empty if the source knows of none: then each picture is its own until duplicates join."""
    box: BoundingBox | None = None
    licence: str = ""
    """Where it differs from picture to picture."""


@dataclass(slots=True)
class Listing:
    """The items of a source, what was left out and why, and what its user must know."""

    source: str
    items: list[Item]
    licence: str = ""
    left_out: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


def images_in(folder: Path) -> Iterator[Path]:
    """The image files under a folder, by name, in order."""
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES)
