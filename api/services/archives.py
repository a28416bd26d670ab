"""Taking the pictures of a ZIP archive into a case, each on its own."""

import uuid
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from django.conf import settings

from classifier.exceptions import ImageRefused
from classifier.models import SmearImage
from classifier.services.images import add_image

if TYPE_CHECKING:
    from accounts.models import User

UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
PASSED_OVER = ("__MACOSX", ".DS_Store", "Thumbs.db")


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file: an image, or the reason why there is none."""

    name: str
    image: SmearImage | None = None
    problem: ImageRefused | None = None


def add_archive(
    *, case_id: uuid.UUID, actor: "User", file: IO[bytes], kind: str = ""
) -> list[FileOutcome]:
    """Take each picture of an archive into a registered case; one bad file loses no other.

    Nothing is unpacked to disk, and names are labels only. What a file claims of its size is
    believed only to refuse it: reading ends at the limit whatever was claimed.

    Raises:
        ImageRefused: it is no archive, or holds too many files or bytes.
        NotPermitted, TransitionRefused: not by this person, or not any more.
    """
    try:
        archive = zipfile.ZipFile(file)
    except UNREADABLE as error:
        raise ImageRefused("no_archive", "The file is no ZIP archive that can be read.") from error
    with archive:
        members = _members(archive)
        return list(_take(archive, members, case_id, actor, kind))


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files to take; refuse more of them, or of their bytes, than are allowed."""
    found = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not _is_passed_over(member.filename)
    ]
    if not found:
        raise ImageRefused("empty_archive", "The archive holds no file.")
    if len(found) > settings.API_MAX_ARCHIVE_FILES:
        most = settings.API_MAX_ARCHIVE_FILES
        raise ImageRefused("too_large", f"The archive holds more than {most} files.")
    if sum(member.file_size for member in found) > settings.API_MAX_ARCHIVE_CONTENT_BYTES:
        raise ImageRefused("too_large", "The archive's files are too large together.")
    return found


def _take(
    archive: zipfile.ZipFile,
    members: Sequence[zipfile.ZipInfo],
    case_id: uuid.UUID,
    actor: "User",
    kind: str,
) -> Iterator[FileOutcome]:
    left = settings.API_MAX_ARCHIVE_CONTENT_BYTES
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/")).name
        try:
            data = _read(archive, member, left)
            left -= len(data)
            image = add_image(case_id=case_id, actor=actor, data=data, file_name=name, kind=kind)
        except ImageRefused as refusal:
            yield FileOutcome(name, problem=refusal)
        else:
            yield FileOutcome(name, image=image)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> bytes:
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    if ".." in parts or member.filename.startswith(("/", "\\")) or ":" in member.filename:
        raise ImageRefused("unsafe_name", "The file's name leads out of the archive.")
    most = min(settings.MAX_UPLOAD_BYTES, left)
    try:
        with archive.open(member) as file:
            data = file.read(most + 1)
    except UNREADABLE as error:
        raise ImageRefused("unreadable", "The file can't be unpacked.") from error
    if len(data) > most:
        raise ImageRefused("too_large", "The file is larger than it may be.")
    return data


def _is_passed_over(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and (parts[0] in PASSED_OVER or parts[-1] in PASSED_OVER)
