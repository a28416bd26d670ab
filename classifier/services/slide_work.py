"""What a worker does with a slide: check it when it has arrived, take the fields asked for.

A slide is held by whoever claimed it last, for as long as the lease lasts. A worker that dies
leaves the slide as it was, to be claimed again; what it stored before is not done twice.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from numpy.typing import NDArray

from accounts.audit import record
from accounts.models import User
from classifier import dispatch, slide_files
from classifier.enums import SlideStatus
from classifier.exceptions import DomainError, ImageRefused
from classifier.findings import Box
from classifier.models import Slide, SlideFile
from classifier.querysets import priority_rank
from classifier.services.images import make_thumbnail
from classifier.services.slides import (
    delete_files,
    keep_field,
    read_field,
    shared_area,
    taken_boxes,
)
from classifier.services.transitions import lock_case
from ml.errors import SlideRejected
from ml.slides.proposing import propose_regions
from ml.slides.regions import read_region
from ml.slides.slide import Slide as OpenSlide
from ml.types import BoundingBox

logger = logging.getLogger(__name__)

# Longer than the hard limit of a task: whoever held an expired lease is gone.
LEASE = timedelta(seconds=330)
MOST_ATTEMPTS = 3
_BLOCK = 4 * 1024**2
_THUMBNAIL_SIDE = 640

STOPPED = "The work on this slide stopped several times; tell your administrator."
TWIN = "The case already holds this slide."
INCOMPLETE = "The file did not arrive completely. Remove it and upload it again."
NO_MONOLAYER = "No monolayer with white cells was found: choose the fields by eye."


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known of a slide once it was checked."""

    columns: dict[str, Any]
    thumbnail: bytes


def work_on_next_slide() -> None:
    """Claim the most urgent slide that waits and do what it waits for."""
    slide = claim_slide()
    if slide is None:
        return
    if slide.attempt > MOST_ATTEMPTS:
        logger.error("Gave up slide %s.", slide.pk)
        _end(slide, STOPPED)
    elif slide.status == SlideStatus.CHECKING:
        check_slide(slide)
    else:
        take_wanted_fields(slide)
    call_for_waiting()


def call_for_waiting() -> None:
    """Call a worker if slides wait."""
    if Slide.objects.waiting().exists():
        dispatch.work_on_slides()


@transaction.atomic
def claim_slide() -> Slide | None:
    """Claim the slide to work on next; one that another worker is just claiming is passed over."""
    waiting = Slide.objects.waiting().order_by(priority_rank("case__priority"), "uploaded_at")
    slide = waiting.select_for_update(of=("self",), skip_locked=True).first()
    if slide is not None:
        slide.attempt += 1
        Slide.objects.filter(pk=slide.pk).update(
            attempt=slide.attempt, lease_expires_at=Now() + LEASE
        )
    return slide


def check_slide(slide: Slide) -> None:
    """Open a slide that has arrived and keep what is known of it, or refuse it with the reason."""
    files = list(slide.files.all())
    if not files or not all(_has_arrived(file) for file in files):
        _end(slide, INCOMPLETE)
        return
    try:
        examined = _examine(slide)
    except SlideRejected as rejection:
        _end(slide, str(rejection))
        return
    with transaction.atomic():
        lock_case(slide.case_id)
        held = _lock_held(slide)
        if held is None:
            return
        if _has_twin(held, examined):
            _refuse(held, TWIN)
        else:
            _accept(held, examined)


def take_wanted_fields(slide: Slide) -> None:
    """Take the fields that were asked for, best first; say so if there are fewer."""
    try:
        with slide_files.opened_alone(slide) as source:
            problem = _take_from(slide, source)
    except (SlideRejected, DomainError) as refusal:
        problem = str(refusal)
    _end(slide, problem)


def _take_from(slide: Slide, source: OpenSlide) -> str:
    """Take fields until none is wanted; return why some are missing, or an empty string."""
    left = slide.fields_wanted
    for box in _untaken(slide, source):
        if left == 0:
            break
        data = read_field(source, box)
        try:
            if not _keep_wanted(slide, box, data):
                return ""
        except ImageRefused as refusal:
            logger.info("Slide %s: a field was passed over: %s", slide.pk, refusal.code)
            continue
        left -= 1
    if not left:
        return ""
    found = slide.fields_wanted - left
    if not found:
        return NO_MONOLAYER
    noun = "field was" if found == 1 else "fields were"
    where = "with white cells in the monolayer"
    return f"Only {found} more {noun} found {where}: choose further ones by eye."


def _untaken(slide: Slide, source: OpenSlide) -> Iterator[BoundingBox]:
    """The proposed regions with white cells that overlap no field taken before."""
    taken = taken_boxes(slide)
    for region in propose_regions(source, slide.fields_wanted + len(taken), white_cells=True):
        if not any(shared_area(_corners(region.box), other) for other in taken):
            yield region.box


def _corners(box: BoundingBox) -> Box:
    return box.x0, box.y0, box.x1, box.y1


@transaction.atomic
def _keep_wanted(slide: Slide, box: BoundingBox, data: bytes) -> bool:
    """Store one of the wanted fields; False if the claim was lost meanwhile."""
    lock_case(slide.case_id)
    held = _lock_held(slide)
    if held is None or held.fields_asked_by is None or not held.fields_wanted:
        return False
    keep_field(held, _corners(box), data, held.fields_asked_by)
    Slide.objects.filter(pk=held.pk).update(
        fields_wanted=F("fields_wanted") - 1, lease_expires_at=Now() + LEASE
    )
    return True


def _examine(slide: Slide) -> Examined:
    with slide_files.opened_alone(slide) as source:
        thumbnail = make_thumbnail(_overview(source), side=_THUMBNAIL_SIDE)
        columns = {
            "width": source.width,
            "height": source.height,
            "microns_per_pixel": source.microns_per_pixel,
            "objective_power": source.objective_power,
            "vendor": source.vendor[:64],
        }
    return Examined({**columns, "original_sha256": _sha256(slide)}, thumbnail)


def _has_arrived(file: SlideFile) -> bool:
    try:
        return sum(default_storage.size(piece) for piece in file.pieces()) == file.size
    except OSError:
        return False


def _overview(source: OpenSlide) -> NDArray[np.uint8]:
    whole = BoundingBox(0, 0, source.width, source.height)
    return read_region(
        source, whole, downsample=max(1.0, max(source.width, source.height) / _THUMBNAIL_SIDE)
    )


def _sha256(slide: Slide) -> str:
    """Hash of the file, or of the sorted hashes of a series' files."""
    hashes = []
    for file in slide.files.all():
        digest = hashlib.sha256()
        for piece in file.pieces():
            with default_storage.open(piece) as source:
                while block := source.read(_BLOCK):
                    digest.update(block)
        hashes.append(digest.hexdigest())
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def _lock_held(claim: Slide) -> Slide | None:
    """Lock and return the slide if the claim still holds."""
    rows = Slide.objects.select_for_update(of=("self",)).select_related("case", "fields_asked_by")
    held = rows.filter(pk=claim.pk, status=claim.status, attempt=claim.attempt).first()
    if held is None:
        logger.warning("Dropped the work on slide %s: the claim was lost.", claim.pk)
    return held


def _has_twin(slide: Slide, examined: Examined) -> bool:
    ready = Slide.objects.filter(case=slide.case_id, status=SlideStatus.READY)
    return ready.filter(original_sha256=examined.columns["original_sha256"]).exists()


def _accept(slide: Slide, examined: Examined) -> None:
    for name, value in examined.columns.items():
        setattr(slide, name, value)
    slide.thumbnail.save("", ContentFile(examined.thumbnail), save=False)
    slide.status, slide.attempt, slide.lease_expires_at = SlideStatus.READY, 0, None
    slide.save()
    record(
        actor=User.system(),
        action="slide.checked",
        target=slide,
        after={"slide": slide.pk, "sha256": slide.original_sha256},
        patient=slide.case.patient_id,
    )


@transaction.atomic
def _end(claim: Slide, problem: str) -> None:
    """End the work on a slide: refuse it if it was being checked, else say what is missing."""
    held = _lock_held(claim)
    if held is None:
        return
    if held.status == SlideStatus.CHECKING:
        _refuse(held, problem)
        return
    held.fields_wanted, held.attempt, held.lease_expires_at = 0, 0, None
    held.problem = problem
    held.save(update_fields=["fields_wanted", "attempt", "lease_expires_at", "problem"])


def _refuse(slide: Slide, problem: str) -> None:
    """Keep the reason and no file: what can't be used only fills the disk."""
    slide.status, slide.problem = SlideStatus.REFUSED, problem
    slide.attempt, slide.lease_expires_at = 0, None
    slide.save(update_fields=["status", "problem", "attempt", "lease_expires_at"])
    record(
        actor=User.system(),
        action="slide.refused",
        target=slide,
        after={"slide": slide.pk},
        reason=problem,
        patient=slide.case.patient_id,
    )
    delete_files(slide)
