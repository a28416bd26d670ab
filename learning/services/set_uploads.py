"""Uploaded archives of labelled pictures: checked by a worker, then frozen as a set or refused."""

import logging
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import DomainError, GuardFailed, NotPermitted
from learning import dispatch, policies
from learning.enums import SetKind, SetState, UploadStatus
from learning.models import LabelledSet, SetUpload, TrainingCell
from learning.services.apart import run_apart
from learning.services.golden import Picture, digest_of, freeze_set, import_pictures, open_set
from learning.services.releases import words_of
from learning.services.uploads import UNEXPECTED, fetch_archive, keep_archive
from ml.errors import MLError
from ml.training_sets import TrainingSet, read_set

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

CHECK_SECONDS = 300.0
DIED = "The archive brought down the process that opened it, or took too long. Upload less at once."


class SetRefused(DomainError):
    """The archive is no set that can judge; the words are for whoever brought it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The set that is to be made: its name, what it is for, whence, and under which licence."""

    name: str
    kind: SetKind
    source: str
    licence: str


@transaction.atomic
def upload_set(
    *, upload_id: uuid.UUID, file: UploadedFile, wanted: Wanted, actor: "User"
) -> SetUpload:
    """Take in an archive; a worker opens it. The same id again is the same upload.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the file is empty or too large, or a draft of this name is open.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")
    known = SetUpload.objects.filter(pk=upload_id, uploaded_by=actor).first()
    if known:
        return known
    if LabelledSet.objects.filter(name=wanted.name, state=SetState.DRAFT).exists():
        raise GuardFailed(f"A draft of {wanted.name} is open already: freeze it first.")
    upload = SetUpload(id=upload_id, uploaded_by=actor, **asdict(wanted))
    keep_archive(upload, file, limit=settings.MAX_SET_BYTES)
    record(
        actor=actor,
        action="labelled_set.uploaded",
        target=upload,
        after={"name": wanted.name, "sha256": upload.sha256, "bytes": upload.size},
    )
    dispatch.check_set_uploads()
    return upload


def check_set_uploads() -> None:
    """Check what has waited longest. Whatever else waits has a task of its own."""
    waiting = SetUpload.objects.filter(status=UploadStatus.CHECKING)
    upload = waiting.order_by("uploaded_at").first()
    if upload is not None:
        _check(upload)
        if waiting.exists():
            dispatch.check_set_uploads()


def _check(upload: SetUpload) -> None:
    """Freeze what is sound; whatever is wrong is told in words. The archive is not kept."""
    try:
        with tempfile.TemporaryDirectory(prefix="set-") as room:
            _look_through(upload, fetch_archive(upload, Path(room) / "archive"), Path(room))
            found = read_set(Path(room) / "out")
            _refuse_learned(found)
            _refuse_known(found)
            _show(upload, step="Freezing the set")
            _freeze(upload, found, Path(room) / "out")
    except (DomainError, MLError) as refusal:
        _refuse(upload, str(refusal))
    except OSError:
        logger.exception("Upload %s could not be checked.", upload.pk)
        _refuse(upload, UNEXPECTED)
    upload.file.delete(save=False)


def _look_through(upload: SetUpload, archive: Path, room: Path) -> None:
    """Unpack and check in a process with bounded memory and time; show how far it is."""
    command = [sys.executable, "-m", "ml.commands.labelled", str(archive)]
    command += ["--out", str(room / "out"), "--most-bytes", str(settings.MAX_SET_BYTES)]
    problem = run_apart(command, room=room, seconds=CHECK_SECONDS, show=partial(_show, upload))
    if problem is not None:
        raise SetRefused(words_of(problem) or DIED)


def _refuse_learned(found: TrainingSet) -> None:
    """Refuse pictures of a training set: what was learned from can't judge."""
    hashes = [cell.sha256 for cell in found.cells]
    learned = TrainingCell.objects.filter(sha256__in=hashes, left_out="")
    count = learned.values("sha256").distinct().count()
    if count:
        sets = sorted({str(each.training_set) for each in learned.select_related("training_set")})
        raise SetRefused(
            f"{count} of the pictures are in {', '.join(sets)}. A model would be judged on what it "
            "learned from: leave them out."
        )


@transaction.atomic
def _freeze(upload: SetUpload, found: TrainingSet, folder: Path) -> None:
    """Make the set of all pictures at once, unless another worker has decided meanwhile."""
    locked = _undecided(upload)
    if locked is None:
        return
    actor = upload.uploaded_by
    opened = open_set(
        name=upload.name,
        kind=SetKind(upload.kind),
        source=upload.source,
        licence=upload.licence,
        actor=actor,
    )
    import_pictures(set_id=opened.pk, pictures=_pictures(found, folder), actor=actor)
    locked.labelled_set = freeze_set(set_id=opened.pk, actor=actor)
    _decide(locked, UploadStatus.ACCEPTED, found.words)


def _refuse_known(found: TrainingSet) -> None:
    """Refuse a set that is there already, under this name or another."""
    digest = digest_of((cell.key, cell.label, cell.sha256) for cell in found.cells)
    known = LabelledSet.objects.filter(digest=digest, state=SetState.FROZEN).first()
    if known is not None:
        raise SetRefused(f"The same cells are frozen as {known} already.")


def _pictures(found: TrainingSet, folder: Path) -> Iterator[Picture]:
    for cell in found.cells:
        data = (folder / cell.file).read_bytes()
        yield Picture(key=cell.key, cell_type=cell.label, group=cell.group, data=data)


@transaction.atomic
def _refuse(upload: SetUpload, message: str) -> None:
    locked = _undecided(upload)
    if locked is not None:
        _decide(locked, UploadStatus.REFUSED, message)
        record(
            actor=upload.uploaded_by,
            action="labelled_set.upload_refused",
            target=upload,
            after={"name": upload.name, "why": message},
        )


def _undecided(upload: SetUpload) -> SetUpload | None:
    waiting = SetUpload.objects.filter(pk=upload.pk, status=UploadStatus.CHECKING)
    return waiting.select_for_update(of=("self",)).first()


def _decide(upload: SetUpload, status: UploadStatus, message: str) -> None:
    upload.status, upload.message, upload.decided_at = status, message, timezone.now()
    upload.save(update_fields=["status", "message", "decided_at", "labelled_set"])


def _show(upload: SetUpload, **shown: str | int) -> None:
    if shown:
        waiting = SetUpload.objects.filter(pk=upload.pk, status=UploadStatus.CHECKING)
        waiting.update(**{"done": 0, "total": 0} | shown)
