"""Exports for research: asked for, made by a worker case by case, kept for a week, deleted."""

import hashlib
import logging
import tempfile
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import IO, TYPE_CHECKING, Final

from django.core.files.base import File
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit import record
from accounts.models import User as Account
from classifier.exceptions import GuardFailed, NotPermitted
from reports import dispatch, policies
from reports.exceptions import ReportTampered
from reports.models import Report, ResearchExport, ResearchKey, ResearchSubject
from reports.querysets import ReportQuerySet
from reports.research.archive import Archive
from reports.research.columns import ReportedCase
from reports.research.masking import Mask
from reports.research.models import ExportStatus
from reports.services.reading import read_content

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

KEPT: Final = timedelta(days=7)
LEASE: Final = timedelta(seconds=120)
MOST_ATTEMPTS: Final = 3
BLOCK: Final = 1024 * 1024
MOST_CASES: Final = 2_000
FAILED: Final = "The export could not be made; tell your administrator."
STOPPED: Final = "The work on this export stopped several times; ask for a shorter period."
NONE_FOUND: Final = "No report was signed in this period."
TOO_MANY: Final = "{found} cases are too many for one export (at most {most}): shorten the period."


@dataclass(frozen=True, slots=True)
class Wish:
    """What an export is to hold, and what for."""

    first: date
    last: date
    with_images: bool
    purpose: str


def reports_in(wish: Wish | ResearchExport, actor: "User") -> ReportQuerySet:
    """Return the standing reports of the period that the person may see."""
    reports = Report.objects.visible_to(actor).standing()
    return reports.issued_from(wish.first).issued_to(wish.last)


@transaction.atomic
def request_export(*, actor: "User", export_id: uuid.UUID, wish: Wish) -> ResearchExport:
    """Ask for an export; asked twice with one id it is the same export.

    Raises:
        NotPermitted: not by this person.
        GuardFailed: nothing is found, or too much.
    """
    if not policies.can_export_research(actor):
        raise NotPermitted("You may not export research data.")
    if known := ResearchExport.objects.filter(pk=export_id, requested_by=actor).first():
        return known
    found = reports_in(wish, actor).count()
    if not found:
        raise GuardFailed(NONE_FOUND)
    if found > MOST_CASES:
        raise GuardFailed(TOO_MANY.format(found=found, most=MOST_CASES))
    export = ResearchExport.objects.create(
        id=export_id,
        requested_by=actor,
        purpose=wish.purpose,
        first=wish.first,
        last=wish.last,
        with_images=wish.with_images,
        total=found,
    )
    after = {"first": wish.first, "last": wish.last, "cases": found, "images": wish.with_images}
    record(
        actor=actor, action="research.requested", target=export, after=after, reason=wish.purpose
    )
    dispatch.make_research_exports()
    return export


def make_next_export() -> None:
    """Claim the export that waits longest and make it; further ones get a message of their own."""
    export = _claim()
    if export is None:
        return
    if export.attempt > MOST_ATTEMPTS:
        _fail(export, STOPPED)
    else:
        try:
            _make(export)
        except Exception:
            _fail(export, FAILED)
            raise
    if ResearchExport.objects.claimable().exists():
        dispatch.make_research_exports()


def tend_exports() -> None:
    """Delete the files of exports that were kept long enough, and call a worker if any wait."""
    for export in ResearchExport.objects.expired():
        _delete(export, actor=Account.system())
    if ResearchExport.objects.claimable().exists():
        dispatch.make_research_exports()


def delete_export(*, export: ResearchExport, actor: "User") -> None:
    """Delete an export before its time."""
    if not policies.can_export_research(actor):
        raise NotPermitted("You may not delete research exports.")
    if export.is_unfinished:
        raise GuardFailed("The export is still being made.")
    _delete(export, actor=actor)


def open_export(*, export: ResearchExport, actor: "User") -> IO[bytes]:
    """Return the archive to hand out; who took it is recorded.

    Raises:
        NotPermitted, GuardFailed: not by this person, or it isn't there.
    """
    if not policies.can_export_research(actor):
        raise NotPermitted("You may not export research data.")
    if export.status != ExportStatus.READY:
        raise GuardFailed("This export is not there any more, or not yet.")
    with transaction.atomic():
        record(
            actor=actor,
            action="research.downloaded",
            target=export,
            after={"sha256": export.sha256, "cases": export.total},
        )
    file: IO[bytes] = export.file.open("rb")
    return file


@transaction.atomic
def _claim() -> ResearchExport | None:
    waiting = ResearchExport.objects.claimable().order_by("requested_at")
    export = waiting.select_for_update(skip_locked=True).first()
    if export is not None:
        export.attempt += 1
        ResearchExport.objects.filter(pk=export.pk).update(
            status=ExportStatus.RUNNING,
            attempt=export.attempt,
            done=0,
            lease_expires_at=Now() + LEASE,
        )
    return export


def _make(export: ResearchExport) -> None:
    """Write the archive outside of any transaction, then keep it if the claim still holds."""
    with tempfile.TemporaryFile() as file:
        archive = Archive(file, with_images=export.with_images)
        try:
            is_held = _fill(archive, export)
        except BaseException:
            archive.discard()
            raise
        if not is_held:
            archive.discard()
            return
        archive.close()
        _keep(export, file)


def _fill(archive: Archive, export: ResearchExport) -> bool:
    """Add case after case; stop and return False once another worker holds the export."""
    stored_key, _ = ResearchKey.objects.get_or_create(pk=1)
    key = bytes(stored_key.key)
    ids = reports_in(export, export.requested_by).order_by("pk").values_list("pk", flat=True)
    for done, report_id in enumerate(list(ids), start=1):
        report = Report.objects.with_signatures().get(pk=report_id)
        _add(archive, report, key, actor=export.requested_by)
        if not _mine(export).update(done=done, lease_expires_at=Now() + LEASE):
            return False
    return True


def _add(archive: Archive, report: Report, key: bytes, *, actor: "User") -> None:
    """Add a report under its patient's mask; one that is not as signed is left out."""
    try:
        says = read_content(report, actor=actor)
    except ReportTampered:
        return
    patient, case = report.case.patient_id, report.case
    subject, _ = ResearchSubject.objects.get_or_create(patient_id=patient)
    masked = ReportedCase(Mask(key, subject.shift), patient, case.pk, says)
    archive.add(masked, case.images.order_by("pk"))


def _keep(export: ResearchExport, file: IO[bytes]) -> None:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    sha256, size = digest.hexdigest(), file.tell()
    file.seek(0)
    export.file.save("", File(file), save=False)
    with transaction.atomic():
        kept = _mine(export).update(
            status=ExportStatus.READY,
            file=export.file.name,
            sha256=sha256,
            size=size,
            finished_at=Now(),
            expires_at=timezone.now() + KEPT,
            lease_expires_at=None,
        )
        if kept:
            after = {"sha256": sha256, "bytes": size, "cases": export.total}
            record(actor=Account.system(), action="research.made", target=export, after=after)
    if not kept:
        export.file.storage.delete(str(export.file.name))


def _mine(export: ResearchExport) -> "models.QuerySet[ResearchExport]":
    return ResearchExport.objects.filter(
        pk=export.pk, attempt=export.attempt, status=ExportStatus.RUNNING
    )


@transaction.atomic
def _fail(export: ResearchExport, problem: str) -> None:
    if _mine(export).update(
        status=ExportStatus.FAILED, problem=problem, finished_at=Now(), lease_expires_at=None
    ):
        record(
            actor=Account.system(),
            action="research.failed",
            target=export,
            after={"attempt": export.attempt},
        )


def _delete(export: ResearchExport, *, actor: "User") -> None:
    name, storage = export.file.name, export.file.storage
    with transaction.atomic():
        changed = ResearchExport.objects.filter(
            pk=export.pk, status__in=(ExportStatus.READY, ExportStatus.FAILED)
        ).update(status=ExportStatus.DELETED, file="", expires_at=None)
        if changed:
            before = {"sha256": export.sha256}
            record(actor=actor, action="research.deleted", target=export, before=before)
    if changed and name:
        storage.delete(name)
