"""Take a release out of an archive that a stranger may have packed: bounded, and never outside."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from ml.artifacts import CARD_NAME, SPEC_NAME, SUMMARY_NAME, WEIGHTS_NAME
from ml.errors import ArtifactError
from ml.head import HEAD_NAME
from ml.morphology import MORPHOLOGY_NAME
from ml.novelty import REFERENCE_NAME
from ml.serving_form import FORM_NAME, SERVED_NAME

RELEASE_FILES: Final = frozenset(
    {SPEC_NAME, WEIGHTS_NAME, CARD_NAME, SUMMARY_NAME, SERVED_NAME, FORM_NAME, HEAD_NAME}
    | {REFERENCE_NAME, MORPHOLOGY_NAME}
)
"""All that a release may hold; nothing else is taken out of an archive."""

REQUIRED: Final = (SPEC_NAME, WEIGHTS_NAME, CARD_NAME, SERVED_NAME, FORM_NAME)
_MOST_ENTRIES: Final = 64
_CHUNK: Final = 1 << 20


def unpack(archive: Path, folder: Path, *, most_bytes: int) -> Path:
    """Write the release within a zip or tar into `folder`, and return it.

    Files may lie at the top or in one folder. Raises ArtifactError if the archive is none, holds
    links, strange or doubled names, unpacks to more than `most_bytes`, or lacks a required file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        left = most_bytes
        for name, stream in _entries(archive):
            left -= copy_bounded(stream, folder / _plain(name, folder), left)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise ArtifactError(f"The archive can't be read: {error}.") from error
    except (RuntimeError, NotImplementedError) as error:
        raise ArtifactError("The archive is encrypted or packed in an unknown way.") from error
    missing = [name for name in REQUIRED if not (folder / name).is_file()]
    if missing:
        raise ArtifactError(f"The archive lacks {', '.join(missing)}.")
    return folder


def _entries(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    # A tar that ends with an npz, which is a zip, would pass for a zip; no zip passes for a tar.
    if tarfile.is_tarfile(archive):
        yield from _tarred(archive)
    elif zipfile.is_zipfile(archive):
        yield from _zipped(archive)
    else:
        raise ArtifactError("The file is neither a zip nor a tar archive.")


def _zipped(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        _check_count(len(entries))
        for entry in entries:
            if (entry.external_attr >> 28) == 0xA:
                raise ArtifactError(f"{entry.filename} is a link; a release has none.")
            if not entry.is_dir():
                with opened.open(entry) as stream:
                    yield entry.filename, stream


def _tarred(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(archive) as opened:
        for count, entry in enumerate(opened, start=1):
            _check_count(count)
            if entry.isdir():
                continue
            stream = opened.extractfile(entry) if entry.isreg() else None
            if stream is None:
                raise ArtifactError(f"{entry.name} is no plain file; a release has no links.")
            with stream:
                yield entry.name, stream


def _check_count(count: int) -> None:
    if count > _MOST_ENTRIES:
        raise ArtifactError(f"The archive holds more than {_MOST_ENTRIES} entries.")


def _plain(name: str, folder: Path) -> str:
    """The bare file name of an entry; ArtifactError if it leads out, is strange or came before."""
    path = PurePosixPath(name.removeprefix("./"))
    is_strange = path.is_absolute() or ".." in path.parts or "\\" in name or len(path.parts) > 2
    if is_strange or path.name not in RELEASE_FILES:
        raise ArtifactError(f"{name!r} does not belong to a release.")
    if (folder / path.name).exists():
        raise ArtifactError(f"The archive holds {path.name} twice.")
    return path.name


def copy_bounded(stream: IO[bytes], path: Path, left: int) -> int:
    """Copy what is really there, whatever an archive's headers say; give the bytes written.

    Raises ArtifactError beyond `left` bytes, and FileExistsError where something lies already.
    """
    written = 0
    with path.open("xb") as target:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > left:
                raise ArtifactError("Unpacked, the archive is larger than is allowed.")
            target.write(chunk)
    return written
