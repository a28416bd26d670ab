"""Writes a research archive: tables row by row, pictures anew from their pixels alone."""

import csv
import logging
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

from classifier.models import SmearImage
from ml.errors import ImageRejected
from ml.preprocessing import decode_image, to_png
from reports.research.columns import (
    TABLES,
    Column,
    MaskedCell,
    MaskedImage,
    ReportedCase,
    cells_of,
    dictionary,
)
from reports.tabular import safe

logger = logging.getLogger(__name__)

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
README: Final = """\
Blood smears with signed results, without identities
====================================================

cases.csv, images.csv and cells.csv belong together by the pseudonyms in them;
data-dictionary.csv explains every column. Pictures, if any, lie in images/.

Pseudonyms are keyed hashes; the key stays in the laboratory. All times of a
patient are moved back by one secret span, the same in every export: intervals
between a patient's times are true, the times are not. Ages above 89 are one
class. No free text is included. Pictures hold pixels alone; whoever sends them
on should have looked at them for writing on the slide.

Do not try to find out who the patients are.
"""


class Archive:
    """A research archive in the making; tables grow in temporary files until it is closed."""

    def __init__(self, file: IO[bytes], *, with_images: bool) -> None:
        self._with_images = with_images
        self._stack = ExitStack()
        self._zip = self._stack.enter_context(zipfile.ZipFile(file, "w"))
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._files = {name: self._open(name) for name in (*TABLES, "data-dictionary.csv")}
        for name, columns in TABLES.items():
            self._write(name, [column.name for column in columns])
        for line in dictionary():
            self._write("data-dictionary.csv", line)

    def add(self, case: ReportedCase, images: Iterable[SmearImage]) -> None:
        """Add a case with its pictures and their cells."""
        self._add_row("cases.csv", case)
        for image in images:
            masked = MaskedImage(case.mask, image, self._add_picture(case, image))
            self._add_row("images.csv", masked)
            for cell in cells_of(image).iterator(chunk_size=500):
                self._add_row("cells.csv", MaskedCell(case.mask, cell, case.case_id))

    def close(self) -> None:
        """Complete the archive."""
        self._put("README.txt", README.encode())
        for name, file in self._files.items():
            file.close()
            with (self._folder / name).open("rb") as source, self._entry(name) as target:
                while block := source.read(1024 * 1024):
                    target.write(block)
        self._stack.close()

    def discard(self) -> None:
        """Drop what was begun."""
        self._stack.close()

    def _add_picture(self, case: ReportedCase, image: SmearImage) -> str:
        """Put a picture into the archive and return its name; an unreadable one is left out."""
        if not self._with_images:
            return ""
        try:
            with image.file.open("rb") as master:
                data = to_png(decode_image(master.read()).pixels)
        except (OSError, ImageRejected):
            logger.warning("Image %s can't be read; left out of a research archive.", image.pk)
            return ""
        name = f"images/{case.mask.code('image', image.pk)}.png"
        self._put(name, data, compression=zipfile.ZIP_STORED)
        return name

    def _add_row(self, name: str, row: object) -> None:
        columns: Sequence[Column[Any]] = TABLES[name]
        self._write(name, [_text(column.take(row)) for column in columns])

    def _open(self, name: str) -> IO[str]:
        path = self._folder / name
        return self._stack.enter_context(path.open("w", encoding="utf-8", newline=""))

    def _write(self, name: str, values: Sequence[str]) -> None:
        csv.writer(self._files[name], lineterminator="\r\n").writerow(values)

    def _put(self, name: str, data: bytes, *, compression: int = zipfile.ZIP_DEFLATED) -> None:
        self._zip.writestr(zipfile.ZipInfo(name, _EPOCH), data, compression)

    def _entry(self, name: str) -> IO[bytes]:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        return self._zip.open(info, "w", force_zip64=True)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return safe(value) if isinstance(value, str) else "" if value is None else str(value)
