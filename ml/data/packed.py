"""Take labelled pictures out of a zip that a stranger may have packed: bounded, and never outside.

The archive holds a folder of pictures a class, or pictures and a catalogue that names them.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.classes import CELL_CLASSES
from ml.cutting import cut_cells
from ml.data.catalogue import CATALOGUE_NAME, read_catalogue, to_records
from ml.data.names import class_of
from ml.data.readers.folders import read_folders
from ml.data.readers.listing import SUFFIXES
from ml.data.records import Record
from ml.errors import ArtifactError, DatasetError, ImageRejected
from ml.preprocessing import decode_image, to_png
from ml.steps import Say
from ml.training_sets import SetCell
from ml.unpacking import copy_bounded

MOST_FILES: Final = 10_000
_DEEPEST: Final = 4
_NAMED: Final = 5
_KEY_LIMIT: Final = 250
_LITTER: Final = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"})
"""What operating systems add to archives; it is passed over."""


def unpack_pictures(archive: Path, folder: Path, *, most_bytes: int) -> Path:
    """Write the pictures and the catalogue within a zip into `folder`; return where they begin.

    That is `folder`, or the one folder in which everything was packed. Raises DatasetError if the
    file is no zip, or holds links, names that lead elsewhere or come twice, other files, more than
    MOST_FILES files, or unpacks to more than `most_bytes`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            left = most_bytes
            for entry, path in _wanted(opened, folder):
                path.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as stream:
                    left -= copy_bounded(stream, path, left)
    except ArtifactError as error:
        raise DatasetError(str(error)) from error
    except FileExistsError as error:
        raise DatasetError("The archive holds two files of one name.") from error
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise DatasetError("The file is no zip archive, or it is damaged.") from error
    except (RuntimeError, NotImplementedError) as error:
        raise DatasetError("The archive is locked by a password or packed unusually.") from error
    return _beginning(folder)


def list_labelled(folder: Path) -> list[Record]:
    """Pictures of one cell each, by the folder's catalogue or, without one, its class folders.

    In class folders each picture is its own group. Raises DatasetError if there is none, or a
    class is unknown.
    """
    if (folder / CATALOGUE_NAME).is_file():
        records = to_records(folder, read_catalogue(folder))
    else:
        records = [
            Record(path=item.path, label=item.label, group=item.group or item.key, key=item.key)
            for item in read_folders(folder).items
            if item.path is not None
        ]
    if not records:
        raise DatasetError("There is no picture.")
    return records


def list_packed(folder: Path) -> list[Record]:
    """The same of what was unpacked: every class known, every picture one that was packed."""
    if not (folder / CATALOGUE_NAME).is_file() and not any(
        each.is_dir() for each in folder.iterdir()
    ):
        raise DatasetError(f"There is neither {CATALOGUE_NAME} nor a folder for each class.")
    records = list_labelled(folder)
    root = folder.resolve()
    absent = [
        record.key
        for record in records
        if not (record.path.is_file() and record.path.resolve().is_relative_to(root))
    ]
    if absent:
        raise DatasetError(f"The catalogue names pictures that aren't packed: {_some(absent)}.")
    unknown = sorted({record.label for record in records if class_of(record.label) is None})
    if unknown:
        raise DatasetError(
            f"Unknown classes: {_some(unknown)}. Known are {', '.join(CELL_CLASSES)}."
        )
    long = [record.key[:40] for record in records if max(len(record.key), len(record.group))
            > _KEY_LIMIT]  # fmt: skip
    if long:
        raise DatasetError(f"Names of more than {_KEY_LIMIT} characters: {_some(long)}.")
    return records


def cut_pictures(records: Sequence[Record], out: Path, say: Say) -> tuple[list[SetCell], int]:
    """Write each cell as the classifier sees it, once; return them and how many came again.

    Raises DatasetError that names pictures which can't be read, or which are the same but lie in
    two classes.
    """
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, SetCell] = {}
    unreadable: dict[str, list[str]] = {}
    torn, again = [], 0
    for number, record in enumerate(records):
        try:
            png = to_png(_cell_of(record))
        except (ImageRejected, ValueError) as error:
            unreadable.setdefault(str(error).rstrip("."), []).append(record.key)
            continue
        digest, label = hashlib.sha256(png).hexdigest(), class_of(record.label) or record.label
        known = found.get(digest)
        if known is None:
            file = f"{number}.png"
            (out / file).write_bytes(png)
            found[digest] = SetCell(record.key, file, label, record.group, digest)
        elif known.label != label:
            torn.append(f"{known.key} and {record.key}")
        else:
            again += 1
        say("Looking at the pictures", number + 1, len(records))
    _refuse_odd(unreadable, torn)
    return list(found.values()), again


def _cell_of(record: Record) -> NDArray[np.uint8]:
    pixels = decode_image(record.path.read_bytes()).pixels
    return cut_cells(pixels, [record.box])[0] if record.box else pixels


def _refuse_odd(unreadable: Mapping[str, Sequence[str]], torn: Sequence[str]) -> None:
    """Name what can't be used by its reason, and what lies in two classes."""
    if unreadable:
        count = sum(map(len, unreadable.values()))
        told = "; ".join(f"{_some(keys)} ({reason})" for reason, keys in unreadable.items())
        raise DatasetError(f"{count} pictures can't be used: {told}.")
    if torn:
        raise DatasetError(f"The same picture lies in two classes: {_some(torn)}.")


def _wanted(opened: zipfile.ZipFile, folder: Path) -> Iterator[tuple[zipfile.ZipInfo, Path]]:
    """Every file to be written, and where; DatasetError at the first that is strange."""
    entries = opened.infolist()
    if len(entries) > MOST_FILES:
        raise DatasetError(f"The archive holds more than {MOST_FILES:,} files.")
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if entry.is_dir() or _LITTER.intersection(path.parts):
            continue
        _check_name(entry, path)
        yield entry, folder / path


def _check_name(entry: zipfile.ZipInfo, path: PurePosixPath) -> None:
    name = entry.filename
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise DatasetError(f"{name} is a link; pack the picture itself.")
    if path.is_absolute() or ".." in path.parts or "\\" in name or len(path.parts) > _DEEPEST:
        raise DatasetError(f"{name} leads out of the archive, or lies too deep.")
    if path.suffix.lower() not in SUFFIXES and path.name != CATALOGUE_NAME:
        raise DatasetError(
            f"{name} is no picture; beside PNG, JPEG, TIFF, BMP and WebP, the archive may hold "
            f"{CATALOGUE_NAME} alone."
        )


def _beginning(folder: Path) -> Path:
    """The folder of the catalogue or of the class folders: packers often add one around."""
    inside = list(folder.iterdir())
    is_wrapped = len(inside) == 1 and inside[0].is_dir() and class_of(inside[0].name) is None
    return inside[0] if is_wrapped else folder


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
