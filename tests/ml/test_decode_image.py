"""Whatever arrives as an image: read it in one way, or say why not."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from ml.errors import ImageRejected
from ml.preprocessing import MAX_PIXELS, MIN_SIDE, decode_image, to_png
from tests.ml.annotations import Encode, Pixels


def refusal(data: bytes) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        decode_image(data)
    assert str(caught.value).endswith(".")
    return caught.value


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size in its header and holds no pixels worth the name."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_lossless_formats_keep_every_pixel(cell_pixels: Pixels, encode: Encode, kind: str) -> None:
    decoded = decode_image(encode(cell_pixels, kind))
    assert decoded.format == kind
    assert decoded.notes == ()
    np.testing.assert_array_equal(decoded.pixels, cell_pixels)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_are_read(cell_pixels: Pixels, encode: Encode, kind: str) -> None:
    decoded = decode_image(encode(cell_pixels, kind, quality=95))
    assert decoded.format == kind
    assert (decoded.width, decoded.height) == (96, 96)
    assert np.abs(decoded.pixels.astype(int) - cell_pixels).mean() < 8


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg"])
def test_compressed_tiff_is_read(cell_pixels: Pixels, encode: Encode, compression: str) -> None:
    assert decode_image(encode(cell_pixels, "TIFF", compression=compression)).width == 96


def test_refuses_an_empty_file() -> None:
    assert refusal(b"").code == "empty"


def test_refuses_text_renamed_to_an_image() -> None:
    assert refusal(b"Dear colleague, the smear is attached.").code == "not_an_image"


@pytest.mark.parametrize(
    "data", [b"GIF89a" + b"\0" * 40, b"%PDF-1.7\n", b"\0" * 128 + b"DICM", b"PK\x03\x04zip"]
)
def test_names_a_foreign_format_and_the_ones_to_use(data: bytes) -> None:
    error = refusal(data)
    assert error.code == "unsupported_format"
    assert "JPEG, PNG, TIFF, BMP or WebP" in str(error)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_refuses_a_truncated_file_even_beside_a_library_that_would_take_it(
    cell_pixels: Pixels,
    encode: Encode,
    kind: str,
    share: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = encode(cell_pixels, kind)
    assert refusal(data[: int(len(data) * share)]).code == "truncated"


def test_refuses_a_file_with_a_valid_start_and_nonsense_after(encode: Encode) -> None:
    noise = np.random.default_rng(0).bytes(4000)
    for signature in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\x00", b"BM"):
        assert refusal(signature + noise).code in {"truncated", "too_many_pixels", "too_small"}


def test_refuses_a_decompression_bomb_from_its_header_alone() -> None:
    assert refusal(png_header(60_000, 60_000)).code == "too_many_pixels"
    assert refusal(png_header(MAX_PIXELS // 1000 + 1, 1000)).code == "too_many_pixels"


def test_refuses_an_image_too_small_to_show_a_cell(encode: Encode) -> None:
    tiny = np.zeros((MIN_SIDE - 1, 200, 3), dtype=np.uint8)
    assert refusal(encode(tiny)).code == "too_small"


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "PNG"])
def test_refuses_animations_and_multi_page_files(
    cell_pixels: Pixels, encode: Encode, kind: str
) -> None:
    first, second = Image.fromarray(cell_pixels), Image.fromarray(255 - cell_pixels)
    data = encode(first, kind, save_all=True, append_images=[second])
    error = refusal(data)
    assert error.code == "animated"
    assert "2 pages or frames" in str(error)


def test_turns_an_exif_rotated_photograph_upright(cell_pixels: Pixels, encode: Encode) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = decode_image(encode(cell_pixels[:60], "JPEG", exif=exif, quality=95))
    assert (upright.width, upright.height) == (60, 96)
    assert "EXIF" in upright.notes[0]


def test_flattens_transparency_on_white(encode: Encode) -> None:
    rgba = np.zeros((40, 40, 4), dtype=np.uint8)
    rgba[:, 20:] = (200, 10, 20, 255)
    decoded = decode_image(encode(rgba))
    assert decoded.pixels[5, 5].tolist() == [255, 255, 255]
    assert decoded.pixels[5, 30].tolist() == [200, 10, 20]
    assert "white" in decoded.notes[0]


def test_converts_cmyk(cell_pixels: Pixels, encode: Encode) -> None:
    cmyk = Image.fromarray(cell_pixels).convert("CMYK")
    decoded = decode_image(encode(cmyk, "JPEG", quality=95))
    assert np.abs(decoded.pixels.astype(int) - cell_pixels).mean() < 12
    assert any("CMYK" in note for note in decoded.notes)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [12, 16])
def test_scales_sixteen_bit_grey_by_the_bits_in_use(encode: Encode, kind: str, bits: int) -> None:
    ramp = np.linspace(0, 2**bits - 1, 64 * 64).reshape(64, 64).astype(np.uint16)
    decoded = decode_image(encode(ramp, kind))
    assert decoded.pixels[0, 0].tolist() == [0, 0, 0]
    assert decoded.pixels[-1, -1].tolist() == [255, 255, 255]
    assert any("16 to 8" in note for note in decoded.notes)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [12, 16])
def test_scales_sixteen_bit_colour_by_the_bits_in_use(
    cell_pixels: Pixels, suffix: str, bits: int
) -> None:
    deep = (cell_pixels.astype(np.float64) / 255.0 * (2**bits - 1)).astype(np.uint16)
    _, data = cv2.imencode(suffix, cv2.cvtColor(deep, cv2.COLOR_RGB2BGR))
    decoded = decode_image(data.tobytes())
    assert np.abs(decoded.pixels.astype(int) - cell_pixels).max() <= 1
    assert any("16 to 8" in note for note in decoded.notes)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I", "F", "YCbCr", "LAB"])
def test_reads_every_colour_mode_that_tiff_can_hold(
    cell_pixels: Pixels, encode: Encode, mode: str
) -> None:
    image = Image.fromarray(cell_pixels).convert(mode if mode != "LAB" else "RGB")
    decoded = decode_image(encode(image, "TIFF"))
    assert decoded.pixels.shape == (96, 96, 3)
    assert decoded.pixels.std() > 10


def test_reads_a_palette_with_a_transparent_colour(cell_pixels: Pixels, encode: Encode) -> None:
    image = Image.fromarray(cell_pixels).quantize(16)
    decoded = decode_image(encode(image, "PNG", transparency=0))
    assert "white" in decoded.notes[0]


def test_the_master_copy_is_lossless_and_carries_no_metadata(
    cell_pixels: Pixels, encode: Encode
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    exif[0x8825] = {1: "N"}
    png = to_png(decode_image(encode(cell_pixels, "PNG", exif=exif, dpi=(300, 300))).pixels)
    reread = Image.open(io.BytesIO(png))
    assert not reread.getexif()
    assert reread.info == {}
    np.testing.assert_array_equal(np.asarray(reread), cell_pixels)
