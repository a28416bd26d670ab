"""One path from the bytes of a file to the tensor a model reads, shared by training and serving."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from ml.errors import ImageRejected
from ml.framing import frame
from ml.nucleus import Nucleus, find_nucleus
from ml.stain import normalise_stain

MAX_PIXELS: Final = 50_000_000
"""Largest image decoded, width x height; checked in the header, before any pixel is read."""

MIN_SIDE: Final = 24
"""Shortest side in which a cell can still be told from another, pixels (BloodMNIST uses 28)."""

_SIGNATURES: Final[tuple[tuple[str, bytes], ...]] = (
    ("JPEG", b"\xff\xd8\xff"),
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("TIFF", b"II*\x00"),
    ("TIFF", b"MM\x00*"),
    ("TIFF", b"II+\x00"),
    ("TIFF", b"MM\x00+"),
    ("BMP", b"BM"),
)
_FOREIGN_SIGNATURES: Final[tuple[tuple[str, bytes, int], ...]] = (
    ("GIF", b"GIF8", 0),
    ("PDF", b"%PDF", 0),
    ("DICOM", b"DICM", 128),
    ("JPEG 2000", b"\x00\x00\x00\x0cjP  ", 0),
    ("JPEG 2000", b"\xff\x4f\xff\x51", 0),
    ("HEIC or AVIF", b"ftyp", 4),
    ("Photoshop", b"8BPS", 0),
    ("icon", b"\x00\x00\x01\x00", 0),
    ("ZIP", b"PK\x03\x04", 0),
    ("SVG", b"<svg", 0),
)
_ORIENTATION: Final = 0x0112  # EXIF
_COLOUR_MODES: Final = frozenset({"RGB", "RGBA"})
_HIGH_DEPTH_MODES: Final = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})

CANVAS: Final = 256
"""Side of the square picture that views are cut from, in training and in serving."""

PREPROCESSING: Final = "nucleus-v2"
"""The way from pixels to tensor: the nucleus in the middle at one scale, stain and white balance
brought to a standard. Once released it never changes: a change gets a new name."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """An upright image: `pixels` is uint8[H, W, 3] RGB; `notes` says what was changed to get it."""

    pixels: NDArray[np.uint8]
    format: str
    notes: tuple[str, ...]

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def decode_image(data: bytes) -> DecodedImage:
    """Decode JPEG, PNG, TIFF, BMP or WebP, told by content; raise ImageRejected for the rest."""
    # WeasyPrint switches this on for the whole process: half an image would pass for a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    format_name = _sniff(data)
    image = _open(data, format_name)
    _check_size(image.width, image.height)
    _check_single_frame(image)
    notes = _notes_before_conversion(image, data)
    try:
        image.load()
        if image.mode in _COLOUR_MODES and _is_high_depth(image, data):
            image = _read_deep_colour(image, data)
        pixels = _to_rgb(ImageOps.exif_transpose(image))
    except MemoryError as error:
        raise ImageRejected("too_many_pixels", "The image is too large to open.") from error
    except Exception as error:  # a decoder fed hostile bytes may raise nearly anything
        raise _damaged(format_name) from error
    return DecodedImage(pixels=pixels, format=format_name, notes=notes)


def to_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8[H, W, 3] RGB losslessly, with no metadata at all."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Located:
    """A picture made square, uint8[CANVAS, CANVAS, 3], and its nucleus, if one is seen."""

    canvas: NDArray[np.uint8]
    nucleus: Nucleus | None

    def view(self, size: int) -> NDArray[np.uint8]:
        """The uint8[size, size, 3] that a network sees of it."""
        return normalise_stain(frame(self.canvas, self.nucleus, size))


def locate(pixels: NDArray[np.uint8]) -> Located:
    """Find the cell of a uint8[H, W, 3] RGB picture of any size."""
    canvas = fit_square(pixels, CANVAS)
    return Located(canvas, find_nucleus(canvas))


def to_view(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Turn uint8[H, W, 3] RGB of any size into the uint8[size, size, 3] that the network sees."""
    return locate(pixels).view(size)


def to_input(pixels: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """Turn uint8[H, W, 3] RGB of any size into float32[size, size, 3] in [-1, 1]."""
    return normalise(to_view(pixels, size))


def normalise(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Map uint8 0..255 to float32 -1..1, the range MobileNetV2 was trained on (Keras "tf" mode)."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1.0)


def fit_square(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize so that the longer side is `size`, and pad the shorter with the background colour.

    Shape is kept, because a squashed nucleus reads as another class.
    """
    height, width = pixels.shape[:2]
    scale = size / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    if (new_height, new_width) == (height, width):
        resized = pixels
    else:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        shrunk = cv2.resize(pixels, (new_width, new_height), interpolation=method)
        resized = np.asarray(shrunk, dtype=np.uint8)
    if new_width == new_height:
        return np.ascontiguousarray(resized, dtype=np.uint8)
    canvas = np.empty((size, size, 3), dtype=np.uint8)
    canvas[:] = background_colour(resized)
    top, left = (size - new_height) // 2, (size - new_width) // 2
    canvas[top : top + new_height, left : left + new_width] = resized
    return canvas


def background_colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Estimate the empty background, uint8[3]: the median of the brighter half of the rim."""
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    brightness = rim.sum(axis=1, dtype=np.int32)
    bright = rim[brightness >= np.median(brightness)]
    return np.asarray(np.median(bright, axis=0), dtype=np.uint8)


def _sniff(data: bytes) -> str:
    if not data:
        raise ImageRejected("empty", "The file is empty (0 bytes).")
    for name, signature in _SIGNATURES:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    for name, signature, offset in _FOREIGN_SIGNATURES:
        if data[offset : offset + len(signature)] == signature:
            raise ImageRejected(
                "unsupported_format",
                f"The file is in {name} format. Use JPEG, PNG, TIFF, BMP or WebP.",
            )
    raise ImageRejected("not_an_image", "This is not an image, whatever its name says.")


def _open(data: bytes, format_name: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=(format_name,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except Exception as error:  # a decoder fed hostile bytes may raise nearly anything
        raise _damaged(format_name) from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    if min(width, height) < MIN_SIDE:
        raise ImageRejected(
            "too_small",
            f"The image is {width} x {height} pixels; at least {MIN_SIDE} on each side are needed.",
        )


def _check_single_frame(image: Image.Image) -> None:
    """Refuse animations and multi-page files; a phone's MPO (JPEG with a preview) is one image."""
    if image.format == "MPO":
        return
    try:
        frames = int(getattr(image, "n_frames", 1))
    except Exception as error:  # counting pages walks the file, which may be damaged
        raise _damaged(str(image.format)) from error
    if frames > 1:
        raise ImageRejected(
            "animated",
            f"The file holds {frames} pages or frames. Save each picture as a file of its own.",
        )


def _notes_before_conversion(image: Image.Image, data: bytes) -> tuple[str, ...]:
    notes = []
    if _orientation(image) not in (None, 1):
        notes.append("Turned upright as its EXIF orientation asks.")
    if _has_alpha(image):
        notes.append("Transparency was laid on white.")
    if image.mode == "CMYK":
        notes.append("Converted from CMYK to RGB; print colours may be off.")
    elif image.mode in {"1", "L", "LA", *_HIGH_DEPTH_MODES}:
        notes.append("The image has no colour.")
    if _is_high_depth(image, data):
        notes.append("Reduced from 16 to 8 bits a channel.")
    return tuple(notes)


def _orientation(image: Image.Image) -> int | None:
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - a damaged EXIF block spoils no pixels
        return None


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info


def _is_high_depth(image: Image.Image, data: bytes) -> bool:
    if image.mode in _HIGH_DEPTH_MODES:
        return True
    if image.format == "PNG":
        return len(data) > 24 and data[24] == 16  # bit depth in the IHDR chunk
    if image.format == "TIFF":
        depths = getattr(image, "tag_v2", {}).get(258, (8,))  # BitsPerSample
        return bool(max(depths if isinstance(depths, tuple) else (depths,)) > 8)
    return False


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in _HIGH_DEPTH_MODES:
        image = _to_eight_bits(image)
    if _has_alpha(image):
        rgba = image.convert("RGBA")
        image = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        image.alpha_composite(rgba)
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Scale by the bits in use (8, 10, 12, 14, 16), as cameras store 12 bits in 16."""
    values = np.asarray(image).astype(np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=65535.0, neginf=0.0).clip(min=0.0)
    is_fraction = image.mode == "F" and float(values.max()) <= 1.0
    return Image.fromarray(_scale(values, 1.0 if is_fraction else _full_scale(values)))


def _read_deep_colour(image: Image.Image, data: bytes) -> Image.Image:
    """Reread colour of 16 bits a channel, of which Pillow keeps but the upper eight."""
    values = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.ndim != 3 or values.shape[2] not in (3, 4):
        return image
    order = cv2.COLOR_BGR2RGB if values.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    values = cv2.cvtColor(values, order)
    channels = _scale(values, _full_scale(values[..., :3]))
    if values.shape[2] == 4:  # opacity is never a camera's, so always fills its 16 bits
        channels[..., 3] = _scale(values[..., 3], 65535.0)
    deep = Image.fromarray(channels)
    deep.getexif()[_ORIENTATION] = _orientation(image) or 1
    return deep


def _full_scale(values: NDArray[Any]) -> float:
    peak = float(values.max())
    return float(next((2**bits - 1 for bits in (8, 10, 12, 14, 16) if peak < 2**bits), peak))


def _scale(values: NDArray[Any], full: float) -> NDArray[np.uint8]:
    scaled = values.astype(np.float32) * np.float32(255.0 / full)
    return np.asarray(scaled.round().clip(0, 255), dtype=np.uint8)


def _too_many_pixels() -> ImageRejected:
    return ImageRejected(
        "too_many_pixels",
        f"The image has more than {MAX_PIXELS // 1_000_000} million pixels.",
    )


def _damaged(format_name: str) -> ImageRejected:
    return ImageRejected(
        "truncated", f"The {format_name} file is damaged, incomplete or of an unreadable variety."
    )
