"""A slide opens with what may be known of it, and anything else is refused with a reason."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from openslide import OpenSlide
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from benchmarks.drawn_slides import BLOCK, write_dicom, write_svs, write_tiff
from ml.errors import SlideRejected
from ml.slides.opening import open_slide
from ml.slides.regions import read_region
from ml.slides.slide import Slide
from ml.types import BoundingBox

SMALL = ["tm..", "mT..", "....", "...."]


def test_a_tiled_tiff_tells_its_levels_and_scale(slide: Slide) -> None:
    assert (slide.width, slide.height) == (10 * BLOCK, 6 * BLOCK)
    assert [(level.width, level.height) for level in slide.levels] == [
        (10240, 6144),
        (2560, 1536),
        (640, 384),
    ]
    assert [level.downsample for level in slide.levels] == [1, 4, 16]
    assert slide.vendor == "generic-tiff"
    assert slide.microns_per_pixel == pytest.approx(0.25)
    assert slide.objective_power is None


def test_an_svs_keeps_what_was_entered_and_its_label_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "smear.svs"
    write_svs(path, SMALL, label=np.full((60, 90, 3), 200, dtype=np.uint8))
    with OpenSlide(path) as raw:  # the file has them
        assert raw.properties["aperio.User"] == "Jane Doe"
        assert set(raw.associated_images) == {"label", "macro"}
    with open_slide(path) as slide:
        assert (slide.vendor, slide.objective_power) == ("aperio", 40)
        assert len(slide.levels) == 3
        public = {name: getattr(slide, name) for name in dir(slide) if not name.startswith("_")}
        assert not {"properties", "associated_images", "comment"} & set(public)
        assert not any(word in repr(public) for word in ("Doe", "4711", "01/02/20", "label"))


def test_a_dicom_series_opens_by_its_first_file(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path, SMALL)
    tiff = tmp_path / "smear.tif"
    write_tiff(tiff, SMALL)
    box = BoundingBox(900, 1000, 1500, 1300)
    with open_slide(paths[0]) as slide, open_slide(tiff) as same:
        assert slide.vendor == "dicom"
        assert len(slide.levels) == 3
        assert slide.microns_per_pixel == pytest.approx(0.25)
        assert np.array_equal(read_region(slide, box), read_region(same, box))


def test_a_dicom_level_without_its_series_is_refused(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    first = write_dicom(tmp_path, [*SMALL, "....m"[:4]])[0]
    alone = first.rename(tmp_path / "alone" / "level.dcm")
    assert refusal(alone) == "too_few_levels"


def test_a_file_that_is_not_there_is_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_slide(tmp_path / "none.svs")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"[Virtual Microscope Specimen]\nNoLayers=1\nImageFile=/etc/passwd\n", "not_a_slide"),
        (b"SQLite format 3\x00" + bytes(200), "not_a_slide"),
        (b"II*\x00" + b"\xff" * 300, "damaged"),
        (bytes(128) + b"DICM" + bytes(300), "not_a_slide"),
    ],
)
def test_refuses_what_is_no_slide(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "file.svs"
    path.write_bytes(content)
    assert refusal(path) == code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_refuses_an_ordinary_picture(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "field.svs"
    Image.new("RGB", (1280, 960), "pink").save(path, format=kind)
    assert refusal(path) == "not_a_pyramid"


def test_refuses_dicom_of_another_kind(tmp_path: Path) -> None:
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID = CTImageStorage
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    file.save_as(tmp_path / "ct.dcm", enforce_file_format=True)
    assert refusal(tmp_path / "ct.dcm") == "not_a_slide"


def test_refuses_a_slide_that_was_copied_in_part(tmp_path: Path, slide_path: Path) -> None:
    path = tmp_path / "part.tif"
    path.write_bytes(slide_path.read_bytes())
    with tifffile.TiffFile(path) as whole:
        last = whole.pages.first.dataoffsets[-1]  # of the finest level, which is stored first
    with path.open("r+b") as file:
        file.seek(last)
        file.write(b"\xff" * 64)
    assert refusal(path) == "damaged"
    with path.open("r+b") as file:
        file.truncate(len(slide_path.read_bytes()) // 2)
    assert refusal(path) == "damaged"


def one_field(writer: tifffile.TiffWriter) -> None:
    write_empty(writer, 960, 900, 256, 256)


def no_overview(writer: tifffile.TiffWriter) -> None:
    write_empty(writer, 5120, 5120, 512, 512)


def impossible_size(writer: tifffile.TiffWriter) -> None:
    write_empty(writer, 1_048_576, 1024, 16384, 1024)


def giant_tiles(writer: tifffile.TiffWriter) -> None:
    write_empty(writer, 8192, 4096, 8192, 4096)


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (one_field, "too_small"),
        (no_overview, "too_few_levels"),
        (impossible_size, "too_large"),
        (giant_tiles, "too_large_tiles"),
    ],
)
def test_refuses_absurd_sizes(
    tmp_path: Path, write: Callable[[tifffile.TiffWriter], None], code: str
) -> None:
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as writer:
        write(writer)
    assert refusal(path) == code


def test_a_scale_that_none_can_have_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as writer:
        write_empty(writer, 2048, 2048, 256, 256, resolution=(72, 72), resolutionunit="INCH")
    with open_slide(path) as slide:
        assert slide.microns_per_pixel is None


def write_empty(
    writer: tifffile.TiffWriter, width: int, height: int, across: int, down: int, **tags: Any
) -> None:
    """Write one level without anything on it."""
    tile = zlib.compress(bytes(down * across * 3), level=1)
    writer.write(
        itertools.repeat(tile, -(-width // across) * -(-height // down)),
        shape=(height, width, 3),
        dtype=np.uint8,
        tile=(down, across),
        photometric="rgb",
        compression="zlib",
        **tags,
    )


def refusal(path: Path) -> str:
    with pytest.raises(SlideRejected) as caught:
        open_slide(path)
    assert str(caught.value).endswith(".")
    assert str(path) not in str(caught.value)
    return caught.value.code
