"""Files that mean harm, or were harmed: pictures, archives, DICOM, tables."""

import io
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.clinical import picture_bytes

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
CSV = b"file,label\n=cmd|' /C calc'!A0,neutrophil\n../../etc/passwd,+1+1\n"


def png_that_says_it_is(width: int, height: int) -> bytes:
    """Return a small file whose header promises so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def odd_files() -> dict[str, bytes]:
    """Return files by what is odd about them."""
    png, jpeg = picture_bytes(1), picture_bytes(2, image_format="JPEG")
    dicom = b"\0" * 128 + b"DICM"
    return {
        "empty": b"",
        "one byte": b"\0",
        "SVG": SVG,
        "HTML": HTML,
        "GIF that is a page": b"GIF89a" + HTML,
        "PDF that is a page": b"%PDF-1.7\n" + HTML,
        "PNG that is an archive": png + archive({"a.png": png}),
        "PNG of many pixels": png_that_says_it_is(60_000, 60_000),
        "PNG of no pixels": png_that_says_it_is(0, 0),
        "PNG with text that unpacks to much": _png_with_text(),
        "half a PNG": png[: len(png) // 2],
        "half a JPEG": jpeg[: len(jpeg) // 2],
        "JPEG with odd EXIF": _with_exif(),
        "JPEG with endless EXIF": b"\xff\xd8\xff\xe1\xff\xffExif\0\0" + b"II*\0\x08\0\0\0" * 9_000,
        "TIFF whose directory leads to itself": b"II*\0\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0",
        "DICOM of nothing": dicom,
        "DICOM cut off": dicom + b"\x02\0\0\0UL\x04\0\xff\xff\xff\xff\x08\0\x05",
        "table with formulas": CSV,
        "archive of names that lead out": archive({"../../out.png": png, "/etc/x.png": png}),
        "archive with a link": _with_link(),
        "archive in an archive": archive({"a.zip": archive({"b.png": png})}),
        "archive of much": archive({"a.png": b"\0" * 30_000_000}),
        "archive of many": archive({f"{number}.png": b"" for number in range(2_000)}),
        "archive of one name twice": _doubled(),
        "half an archive": archive({"a.png": png})[:-30],
        "archive that is locked": _locked(),
    }  # fmt: skip


def harmed_files(number: int) -> Iterator[tuple[str, bytes]]:
    """Yield so many real files with bytes changed or cut off, the same ones each time."""
    chance = random.Random(7)
    whole = {
        form: picture_bytes(3, image_format=form) for form in ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
    } | {"ZIP": archive({"a.png": picture_bytes(4)})}
    for each in range(number):
        form = chance.choice(sorted(whole))
        content = bytearray(whole[form])
        for _ in range(chance.choice([1, 3, 30])):
            content[chance.randrange(min(len(content), 400))] = chance.randrange(256)
        kept = chance.choice([len(content), chance.randrange(len(content))])
        yield f"harmed {form} {each}", bytes(content[:kept])


def archive(members: dict[str, bytes]) -> bytes:
    """Return a ZIP archive of members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return buffer.getvalue()


def _with_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    return buffer.getvalue()


def _doubled() -> bytes:
    """Return an archive whose two members have one name, by renaming one of equal length."""
    whole = archive({"a.png": picture_bytes(1), "b.png": picture_bytes(2)})
    return whole.replace(b"b.png", b"a.png")


def _locked() -> bytes:
    """Return an archive whose member says that it is encrypted."""
    whole = bytearray(archive({"a.png": picture_bytes(1)}))
    whole[6] |= 1
    whole[whole.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(whole)


def _png_with_text() -> bytes:
    text = b"zTXt" + b"a\0\0" + zlib.compress(b"x" * 50_000_000)
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    png = picture_bytes(1)
    return png[:33] + chunk + png[33:]


def _with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 99  # a turn that there is none of
    exif[0x010E] = "<script>alert(1)</script>\0\ud7ff"
    exif[0x9286] = b"\xff" * 1000
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture_bytes(5))).save(buffer, format="JPEG", exif=exif)
    return buffer.getvalue()
