"""Writes a reader's name and the moment across a picture: to be read, hiding no cell.

The words are turned by 30° and stand in rows, light with a dark edge at low opacity, so that they
are legible on stain and glass alike and no cell can be cut out without.
"""

from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from PIL import Image, ImageDraw, ImageFont

FONT = "vendor/fonts/ibm-plex-sans-latin-500-normal.woff2"
ANGLE = 30
LEAST_LETTERS, MOST_LETTERS = 11, 34
"""Height of the letters, pixels."""
LETTERS_PER_SIDE = 30
APART_ACROSS, APART_DOWN = 1.0, 0.7
"""From one turned mark to the next, in widths and heights of it."""
INK, EDGE = (255, 255, 255, 66), (20, 24, 29, 56)
"""Light letters with a dark edge; the last figure is the opacity of 255."""


def mark(picture: Image.Image, lines: tuple[str, ...]) -> Image.Image:
    """Return the picture, RGB, with the lines written across all of it."""
    layer = _layer(picture.size, lines)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def can_write(text: str) -> bool:
    """Say whether the font holds all letters of the text (Latin-1)."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=16)
def _layer(size: tuple[int, int], lines: tuple[str, ...]) -> Image.Image:
    """Draw the words once for all pictures of a size, as a page asks for many at a time."""
    height = min(max(min(size) // LETTERS_PER_SIDE, LEAST_LETTERS), MOST_LETTERS)
    tile = _tile(lines, height).rotate(ANGLE, Image.Resampling.BICUBIC, expand=True)
    drawn = tile.getchannel("A").point(lambda opacity: 255 if opacity else 0)
    layer = Image.new("RGBA", size)
    step_x, step_y = round(APART_ACROSS * tile.width), round(APART_DOWN * tile.height)
    for row, y in enumerate(range(-step_y, size[1], step_y)):
        for x in range(-step_x + row % 2 * step_x // 2, size[0], step_x):
            layer.paste(tile, (x, y), drawn)
    return layer


def _tile(lines: tuple[str, ...], height: int) -> Image.Image:
    font = _font(height)
    text = "\n".join(lines)
    left, top, right, bottom = ImageDraw.Draw(Image.new("RGBA", (1, 1))).multiline_textbbox(
        (0, 0), text, font=font, stroke_width=1
    )
    tile = Image.new("RGBA", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(tile).multiline_text(
        (1 - left, 1 - top), text, font=font, fill=INK, stroke_width=1, stroke_fill=EDGE
    )
    return tile


@lru_cache(maxsize=16)
def _font(height: int) -> ImageFont.FreeTypeFont:
    found = finders.find(FONT)
    if not found:
        raise FileNotFoundError(FONT)
    return ImageFont.truetype(Path(found), height)
