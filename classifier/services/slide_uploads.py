"""Taking the files of a slide in, part by part; an upload that broke off goes on where it was."""

import errno
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Now

from accounts.audit import record
from accounts.models import User as Account
from classifier import dispatch
from classifier.enums import SlideStatus
from classifier.exceptions import PartOutOfPlace, SlideRefused
from classifier.models import Case, Slide, SlideFile
from classifier.services.images import lock_open_case
from classifier.services.quotas import why_beyond
from classifier.services.slides import delete_files
from vault.stores import the_store

if TYPE_CHECKING:
    from accounts.models import User

PART_BYTES = 8 * 1024**2
"""How much a sender is asked to send at once."""

MOST_FILES = 64
"""Of a DICOM series: a file a level, label and overview."""

GIVEN_UP_AFTER = timedelta(days=1)
LEFT_FREE = 2 * 1024**3
"""Bytes of the disk that slides leave to everything else."""


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A file that somebody wants to send; ``modified`` in milliseconds since 1970."""

    name: str
    size: int
    modified: int


def start_upload(*, case_id: uuid.UUID, actor: "User", files: Sequence[OfferedFile]) -> Slide:
    """Make room for a slide of one file, or of a DICOM series.

    An upload of the same files that was not finished is taken up again.

    Raises:
        SlideRefused: too large, empty, no room on the disk, not the files of one slide, or more
            than the person may add within a day.
        NotPermitted, TransitionRefused: not by this person, or not any more.
    """
    largest_first = sorted(files, key=lambda file: (-file.size, file.name))
    _check_offer(largest_first)
    with transaction.atomic():
        case = lock_open_case(case_id, actor)
        if unfinished := _find_unfinished(case, largest_first):
            return unfinished
        size = sum(file.size for file in files)
        _check_room(size)
        if beyond := why_beyond(actor, size=size):
            raise SlideRefused("quota", beyond)
        slide = Slide.objects.create(
            case=case,
            original_name=largest_first[0].name[-255:],
            original_bytes=size,
            uploaded_by=actor,
        )
        SlideFile.objects.bulk_create(
            SlideFile(
                slide=slide,
                number=number,
                original_name=file.name[-255:],
                size=file.size,
                modified=file.modified,
            )
            for number, file in enumerate(largest_first)
        )
    return slide


@transaction.atomic
def append_part(
    *, slide: Slide, number: int, offset: int, data: bytes, actor: "User"
) -> SlideFile | None:
    """Append what comes next of a file; with the last part of the last file the check begins.

    Returns None if the slide has no such file.

    Raises:
        PartOutOfPlace: a part was lost, or came twice; it says which is expected.
        SlideRefused: there is no room for it.
        NotPermitted, TransitionRefused: not by this person, or not any more.
    """
    case = lock_open_case(slide.case_id, actor)
    file = (
        SlideFile.objects.select_for_update()
        .select_related("slide__case")
        .filter(slide=slide, number=number)
        .first()
    )
    if file is None:
        return None
    _append(file, offset, data)
    Slide.objects.filter(pk=slide.pk).update(last_part_at=Now())
    if not SlideFile.objects.filter(slide=slide, received__lt=F("size")).exists():
        _begin_check(case, file.slide, actor)
    return file


def drop_abandoned() -> None:
    """Remove uploads of which nothing arrived for a day."""
    given_up = Slide.objects.filter(
        status=SlideStatus.UPLOADING, last_part_at__lt=Now() - GIVEN_UP_AFTER
    )
    for slide_id in given_up.values_list("pk", flat=True):
        with transaction.atomic():
            locked = given_up.select_for_update(of=("self",), skip_locked=True)
            if slide := locked.select_related("case").filter(pk=slide_id).first():
                _drop(slide)


def _check_offer(files: Sequence[OfferedFile]) -> None:
    if not files or any(file.size <= 0 for file in files):
        raise SlideRefused("empty", "The file is empty.")
    if len(files) > MOST_FILES:
        raise SlideRefused("too_many", f"A slide has at most {MOST_FILES} files.")
    if len(files) > 1 and not all(file.name.lower().endswith(".dcm") for file in files):
        raise SlideRefused("not_a_series", "Only the DICOM files of one series belong together.")
    most = min(settings.MAX_SLIDE_BYTES, settings.SLIDE_MEMORY_BYTES)
    if sum(file.size for file in files) > most:
        raise SlideRefused("too_large", f"The slide is larger than {_gigabytes(most)}.")


def _check_room(size: int) -> None:
    """Refuse what would fill the disk, together with what other uploads still need."""
    room = the_store().free_bytes()
    if room is None:
        return
    pending = SlideFile.objects.filter(slide__status=SlideStatus.UPLOADING)
    promised = pending.aggregate(bytes=Sum(F("size") - F("received")))["bytes"] or 0
    free = max(0, room - promised - LEFT_FREE)
    if size > free:
        raise _no_room(f"it takes {_gigabytes(size)}, and {_gigabytes(free)} are free")


def _no_room(why: str) -> SlideRefused:
    return SlideRefused(
        "no_room", f"The server has no room for this slide: {why}. Tell your administrator."
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GB".replace(".0 GB", " GB")


def _find_unfinished(case: Case, files: Sequence[OfferedFile]) -> Slide | None:
    """Return the unfinished upload of just these files, known by name, size and time of change."""
    wanted = [(file.name[-255:], file.size, file.modified) for file in files]
    for slide in case.slides.filter(status=SlideStatus.UPLOADING):
        if list(slide.files.values_list("original_name", "size", "modified")) == wanted:
            return slide
    return None


def _append(file: SlideFile, offset: int, data: bytes) -> None:
    """Store a piece after those that are stored for certain; what a crash left of it goes."""
    if offset != file.received or offset + len(data) > file.size:
        raise PartOutOfPlace(file.received)
    name = file.piece_name(offset)
    try:
        if default_storage.exists(name):
            default_storage.delete(name)
        default_storage.save(name, ContentFile(data))
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _no_room("the disk is full") from error
        raise
    file.received = offset + len(data)
    file.save(update_fields=["received"])


def _begin_check(case: Case, slide: Slide, actor: "User") -> None:
    slide.status = SlideStatus.CHECKING
    slide.save(update_fields=["status"])
    record(
        actor=actor,
        action="slide.added",
        target=slide,
        after={"slide": slide.pk, "bytes": slide.original_bytes},
        patient=case.patient_id,
    )
    dispatch.work_on_slides()


def _drop(slide: Slide) -> None:
    record(
        actor=Account.system(),
        action="slide.removed",
        target=slide,
        before={"slide": slide.pk, "bytes": slide.original_bytes},
        reason="The upload was not finished within a day.",
        patient=slide.case.patient_id,
    )
    delete_files(slide)
    slide.delete()
