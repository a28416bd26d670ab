"""Draw slides of a smear from synthetic fields: glass, thin end, monolayer and thick part.

A slide is a plan of blocks, 1024 pixels a side; each kind of block has a few variants, which
repeat. It is stored in tiles, in levels of 1, 1/4 and 1/16, as scanners do, but without loss.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    VLWholeSlideMicroscopyImageStorage,
    generate_uid,
)

from ml.synthetic import render_field

Pixels = NDArray[np.uint8]
Plan = list[str]
"""Rows of letters, one a block: `.` glass, `t` thin, `m` monolayer, `b` blurred monolayer, `T`
thick."""

SCALE: Final = 0.25
"""Micrometres a pixel: a red cell is 30 px."""

BLOCK: Final = 1024
TILE: Final = 256
_STEP: Final = 4
_LEVELS: Final = 3
_VARIANTS: Final = 2
_GREYS: Final = 4
"""Step between levels of light: a quarter of the bytes are left when noise is rounded away."""


@cache
def draw_block(kind: str, variant: int) -> Pixels:
    """Draw a block, uint8[1024, 1024, 3]."""
    if kind == ".":
        return np.full((BLOCK, BLOCK, 3), (245, 236, 226), dtype=np.uint8)
    if kind == "t":
        return _thin_out(_monolayer(variant), variant)
    if kind == "T":
        layers = [np.rot90(_monolayer(variant), turn).astype(np.float32) / 250 for turn in range(3)]
        return (np.prod(layers, axis=0) * 250).clip(0, 255).astype(np.uint8)
    if kind == "b":
        return np.asarray(cv2.GaussianBlur(_monolayer(variant), (0, 0), 4.0), dtype=np.uint8)
    return _monolayer(variant)


@cache
def _monolayer(variant: int) -> Pixels:
    return render_field(variant, BLOCK, BLOCK, cells=5, red_cell=30)


def _thin_out(pixels: Pixels, seed: int) -> Pixels:
    """Leave one in six of the cells, and of those that touch."""
    stained = (pixels[..., 1] < 215).astype(np.uint8)
    count, labels = cv2.connectedComponents(cv2.dilate(stained, np.ones((3, 3))))
    kept = np.random.default_rng(seed).random(count) < 1 / 6
    gone = ((labels > 0) & ~kept[labels])[..., None]
    return np.where(gone, np.array([250, 231, 211], dtype=np.uint8), pixels)


def write_tiff(path: Path, plan: Plan, *, icc_profile: bytes | None = None) -> None:
    """Write a slide as a pyramidal TIFF."""
    with tifffile.TiffWriter(path) as writer:
        for level in range(_LEVELS):
            _write_level(writer, plan, level, subfiletype=1 if level else 0, iccprofile=icc_profile)


def write_svs(path: Path, plan: Plan, *, label: Pixels) -> None:
    """Write a slide as Aperio's scanners do: what was entered in the description, label photo."""
    height, width = len(plan) * BLOCK, len(plan[0]) * BLOCK
    head = "Aperio Image Library v11.2.1\n"
    text = f"{width}x{height} [0,0 {width}x{height}] ({TILE}x{TILE}) JPEG/RGB Q=70|AppMag = 40"
    entered = "MPP = 0.25|User = Jane Doe|Barcode = 4711|Date = 01/02/20"
    with tifffile.TiffWriter(path) as writer:
        for level in range(_LEVELS):
            _write_level(writer, plan, level, description=f"{head}{text}|{entered}")
        for name, kind in (("label", 1), ("macro", 9)):
            text = f"{head}{name} {label.shape[1]}x{label.shape[0]}"
            writer.write(
                label, photometric="rgb", subfiletype=kind, description=text, metadata=None
            )


def _write_level(writer: tifffile.TiffWriter, plan: Plan, level: int, **tags: Any) -> None:
    side = BLOCK // _STEP**level
    writer.write(
        (_compress(*key) for key in _tiles(plan, level)),
        shape=(len(plan) * side, len(plan[0]) * side, 3),
        dtype=np.uint8,
        tile=(TILE, TILE),
        photometric="rgb",
        compression="zlib",
        resolution=(1e4 / SCALE, 1e4 / SCALE),
        resolutionunit="CENTIMETER",
        metadata=None,
        **tags,
    )


def write_dicom(folder: Path, plan: Plan) -> list[Path]:
    """Write a slide as a DICOM series, a file a level; the largest level is the first."""
    series = generate_uid()
    paths = [folder / f"level-{level}.dcm" for level in range(_LEVELS)]
    for level, path in enumerate(paths):
        _dicom_level(plan, level, series).save_as(path, enforce_file_format=True)
    return paths


def _dicom_level(plan: Plan, level: int, series: str) -> Dataset:
    """A level with the attributes of PS3.3 C.8.12.4 and C.7.6.17 that readers ask for."""
    kind = ["ORIGINAL", "NONE"] if level == 0 else ["DERIVED", "RESAMPLED"]
    frames = [_tile(*key).tobytes() for key in _tiles(plan, level)]
    side = BLOCK // _STEP**level
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    file.SeriesInstanceUID = series
    file.PatientName = "Doe^Jane"
    file.ImageType = [kind[0], "PRIMARY", "VOLUME", kind[1]]
    file.DimensionOrganizationType = "TILED_FULL"
    file.TotalPixelMatrixColumns, file.TotalPixelMatrixRows = len(plan[0]) * side, len(plan) * side
    file.Rows = file.Columns = TILE
    file.NumberOfFrames = len(frames)
    file.SamplesPerPixel, file.PhotometricInterpretation = 3, "RGB"
    file.PlanarConfiguration = file.PixelRepresentation = 0
    file.BitsAllocated = file.BitsStored = 8
    file.HighBit = 7
    spacing, groups = Dataset(), Dataset()
    spacing.PixelSpacing = [SCALE * _STEP**level / 1000] * 2
    groups.PixelMeasuresSequence = Sequence([spacing])
    file.SharedFunctionalGroupsSequence = Sequence([groups])
    file.PixelData = b"".join(frames)
    return file


_Tile = tuple[tuple[str, ...], int, int, int, int]
"""A part of the plan, which variants it shows, the level, and the tile's row and column in it."""


def _tiles(plan: Plan, level: int) -> Iterator[_Tile]:
    """The tiles of a level, row by row."""
    blocks = max(1, _STEP**level * TILE // BLOCK)
    tiles = max(1, BLOCK // TILE // _STEP**level)
    for row in range(-(-len(plan) // blocks) * tiles):
        for column in range(-(-len(plan[0]) // blocks) * tiles):
            top, left = row // tiles * blocks, column // tiles * blocks
            part = tuple(line[left : left + blocks] for line in plan[top : top + blocks])
            variant = (top + left // 2) % _VARIANTS
            yield part, variant, level, row % tiles, column % tiles


@cache
def _compress(part: tuple[str, ...], variant: int, level: int, row: int, column: int) -> bytes:
    return zlib.compress(_tile(part, variant, level, row, column).tobytes(), level=6)


@cache
def _tile(part: tuple[str, ...], variant: int, level: int, row: int, column: int) -> Pixels:
    """One tile of a part of the plan, filled up with grey beyond the slide."""
    tile = np.full((TILE, TILE, 3), 128, dtype=np.uint8)
    whole = np.vstack([np.hstack([_small(kind, variant, level) for kind in line]) for line in part])
    inner = whole[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
    tile[: inner.shape[0], : inner.shape[1]] = inner
    return tile // _GREYS * _GREYS


@cache
def _small(kind: str, variant: int, level: int) -> Pixels:
    side = BLOCK // _STEP**level
    block = draw_block(kind, variant)
    return np.asarray(cv2.resize(block, (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)
