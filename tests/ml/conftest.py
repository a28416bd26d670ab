"""Fixtures of the model package: pictures in every format, and releases to load."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import keras
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml.architectures import build
from ml.artifacts import WEIGHTS_NAME, ReleaseSpec, sha256_of, write_spec
from ml.classes import CELL_CLASSES
from ml.exporting import export_release
from ml.preprocessing import PREPROCESSING
from ml.synthetic import render_cell
from tests.ml.annotations import Encode, Pixels


@pytest.fixture(scope="session")
def cell_pixels() -> Pixels:
    """A synthetic neutrophil, uint8[96, 96, 3]."""
    return render_cell("neutrophil", seed=7, size=96)


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Encode pixels, or a Pillow image, as the bytes of a file."""

    def encode(picture: NDArray[Any] | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        buffer = io.BytesIO()
        image.save(buffer, format=kind, **options)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real image sets; tests that need it are skipped without it."""
    folder = os.environ.get("HEMATOVISION_DATA")
    if not folder or not (Path(folder) / "pbc" / "index.csv").is_file():
        pytest.skip("needs real images: set HEMATOVISION_DATA to the folder that holds pbc/")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real release of an untrained network at 64 px, whose class order is not the usual one."""
    folder = tmp_path_factory.mktemp("tiny-release")
    class_names = tuple(reversed(CELL_CLASSES))
    keras.utils.set_random_seed(11)
    model = build("mobilenet_v2", input_size=64, classes=len(class_names))
    model.save_weights(folder / WEIGHTS_NAME)
    spec = ReleaseSpec(
        name="tiny",
        version="0.1.0",
        architecture="mobilenet_v2",
        class_names=class_names,
        input_size=64,
        preprocessing=PREPROCESSING,
        sha256=sha256_of(folder / WEIGHTS_NAME),
        temperature=1.0,
        threshold=0.5,
        metrics={},
        data={},
        training={},
    )
    write_spec(folder, spec)
    export_release(folder)
    return folder
