"""Uploaded archives: taken in by the web, opened and tried by a worker, then kept or refused."""

import hashlib
import logging
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import DomainError, GuardFailed, NotPermitted
from learning import dispatch, policies
from learning.enums import Origin, UploadStatus
from learning.models import CandidateUpload
from learning.models.registry import ArchiveUpload
from learning.services.releases import register_candidate

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

NAME_LIMIT = 255
UNEXPECTED = "The archive could not be checked because of a fault here. Upload it again later."


@transaction.atomic
def upload_candidate(
    *, upload_id: uuid.UUID, file: UploadedFile, actor: "User", note: str = ""
) -> CandidateUpload:
    """Take in an archive; a worker opens it. The same id again is the same upload.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the file is empty or too large.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")
    known = CandidateUpload.objects.filter(pk=upload_id, uploaded_by=actor).first()
    if known:
        return known
    upload = CandidateUpload(id=upload_id, note=note, uploaded_by=actor)
    keep_archive(upload, file, limit=settings.MAX_RELEASE_BYTES)
    record(
        actor=actor,
        action="model.uploaded",
        target=upload,
        after={"sha256": upload.sha256, "bytes": upload.size},
    )
    dispatch.check_uploads()
    return upload


def keep_archive(upload: ArchiveUpload, file: UploadedFile, *, limit: int) -> None:
    """Store an archive of at most so many bytes with its row.

    Raises:
        GuardFailed: the file is empty or too large.
    """
    if not file.size or file.size > limit:
        raise GuardFailed(f"Choose an archive of at most {limit // 1024**2} MB.")
    upload.original_name = Path(str(file.name or "")).name[:NAME_LIMIT]
    upload.size, upload.sha256 = file.size, _hash(file)
    upload.file.save("", file, save=False)
    upload.save(force_insert=True)


def check_uploads() -> int:
    """Open and try what waits, one archive after the other; return how many."""
    done = 0
    for upload in CandidateUpload.objects.filter(status=UploadStatus.CHECKING).order_by("pk"):
        _check(upload)
        done += 1
    return done


def _check(upload: CandidateUpload) -> None:
    """Register what is sound; whatever is wrong is told in words. The archive is not kept."""
    try:
        with tempfile.TemporaryDirectory(prefix="upload-") as room:
            archive = fetch_archive(upload, Path(room) / "archive")
            version = register_candidate(
                archive, origin=Origin.UPLOADED, actor=upload.uploaded_by, note=upload.note
            )
    except DomainError as refusal:
        _decide(upload, UploadStatus.REFUSED, message=str(refusal))
    except OSError:
        logger.exception("Upload %s could not be checked.", upload.pk)
        _decide(upload, UploadStatus.REFUSED, message=UNEXPECTED)
    else:
        _decide(upload, UploadStatus.ACCEPTED, version_id=version.pk)
    upload.file.delete(save=False)


def fetch_archive(upload: ArchiveUpload, path: Path) -> Path:
    """Copy a kept archive to a file of this machine."""
    with upload.file.open("rb") as source, path.open("wb") as target:
        for chunk in source.chunks():
            target.write(chunk)
    return path


@transaction.atomic
def _decide(
    upload: CandidateUpload,
    status: UploadStatus,
    *,
    message: str = "",
    version_id: int | None = None,
) -> None:
    waiting = CandidateUpload.objects.filter(pk=upload.pk, status=UploadStatus.CHECKING)
    changed = waiting.update(
        status=status, message=message, version_id=version_id, decided_at=timezone.now()
    )
    if changed and status == UploadStatus.REFUSED:
        record(
            actor=upload.uploaded_by,
            action="model.upload_refused",
            target=upload,
            after={"why": message},
        )


def _hash(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
