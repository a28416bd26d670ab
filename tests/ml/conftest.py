"""Fixtures of the model package: pictures in every format, and releases to load."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml.synthetic import render_cell

Encode = Callable[..., bytes]


@pytest.fixture(scope="session")
def cell_pixels() -> NDArray[np.uint8]:
    """A synthetic neutrophil, uint8[96, 96, 3]."""
    return render_cell("neutrophil", seed=7, size=96)


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Encode pixels, or a Pillow image, as the bytes of a file."""

    def encode(picture: NDArray[Any] | Image.Image, format: str = "PNG", **options: Any) -> bytes:
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        buffer = io.BytesIO()
        image.save(buffer, format=format, **options)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real image sets; tests that need it are skipped without it."""
    folder = os.environ.get("HEMATOVISION_DATA")
    if not folder or not (Path(folder) / "pbc" / "index.csv").is_file():
        pytest.skip("needs real images: set HEMATOVISION_DATA to the folder that holds pbc/")
    return Path(folder)
