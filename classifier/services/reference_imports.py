"""Taking reference cells from a folder of class folders, each with its source and licence."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.db import transaction

from accounts.audit import record
from classifier import policies
from classifier.enums import CellType
from classifier.exceptions import ImageRefused, NotPermitted
from classifier.models import ReferenceCell
from classifier.services.reference_cells import store_reference
from ml.data.names import class_of
from ml.errors import ImageRejected
from ml.kinds import guess_kind
from ml.preprocessing import DecodedImage, decode_image

if TYPE_CHECKING:
    from accounts.models import User

Outcome = Literal["added", "known", "refused"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where imported pictures come from and under what terms they may be shown."""

    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file, and why it was refused if it was."""

    path: Path
    outcome: Outcome
    reason: str = ""


def import_folder(folder: Path, *, provenance: Provenance, actor: "User") -> Iterator[Imported]:
    """Take every picture below each class folder; each file stands alone, and again is harmless.

    A file whose bytes are in the library, retired ones included, is known and left alone.
    """
    for class_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
        cell_type = class_named(class_folder.name)
        for path in sorted(each for each in class_folder.rglob("*") if each.is_file()):
            if not cell_type:
                yield Imported(path, "refused", f"“{class_folder.name}” names no cell class")
            else:
                yield _import_file(path, cell_type, provenance, actor)


def class_named(name: str) -> str:
    """Return the class that a folder's name means, "" if none: our names, or usual ones."""
    plain = re.sub(r"[\s_\-]+", " ", name).strip().lower()
    for cell_type in CellType:
        own = {str(cell_type.label).lower(), f"{cell_type.label}s".lower()}
        if plain in own and cell_type != CellType.UNIDENTIFIED:
            return cell_type.value
    return class_of(name) or ""


@transaction.atomic
def import_picture(
    *, data: bytes, cell_type: str, provenance: Provenance, actor: "User"
) -> ReferenceCell | None:
    """Take one picture of one cell into the library; None if its bytes are there already.

    Raises:
        NotPermitted: the actor doesn't keep the library.
        ImageRefused: the file is no readable picture of one cell.
    """
    if not policies.can_keep_reference_cells(actor):
        raise NotPermitted("Your role may not change the reference library.")
    sha256 = hashlib.sha256(data).hexdigest()
    if ReferenceCell.objects.filter(sha256=sha256).exists():
        return None
    reference = ReferenceCell(
        cell_type=cell_type,
        sha256=sha256,
        source=provenance.source,
        licence=provenance.licence,
        added_by=actor,
    )
    store_reference(reference, _decode(data).pixels)
    record(
        actor=actor,
        action="reference_cell.imported",
        target=reference,
        after={"class": cell_type, "sha256": sha256, "source": provenance.source},
    )
    return reference


def _import_file(path: Path, cell_type: str, provenance: Provenance, actor: "User") -> Imported:
    try:
        if path.stat().st_size > settings.MAX_UPLOAD_BYTES:
            limit = settings.MAX_UPLOAD_BYTES // 1024**2
            raise ImageRefused("too_large", f"The file is larger than {limit} MB.")
        taken = import_picture(
            data=path.read_bytes(), cell_type=cell_type, provenance=provenance, actor=actor
        )
    except (ImageRefused, OSError) as error:
        return Imported(path, "refused", str(error))
    return Imported(path, "added" if taken else "known")


def _decode(data: bytes) -> DecodedImage:
    try:
        decoded = decode_image(data)
    except ImageRejected as error:
        raise ImageRefused(error.code, str(error)) from error
    if guess_kind(decoded.pixels) == "field":
        raise ImageRefused("field", "It shows a whole field; cut the cells out first.")
    return decoded
