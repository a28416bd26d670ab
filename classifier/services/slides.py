"""What a technician does with a slide: have fields taken, take one himself, remove the slide."""

from typing import TYPE_CHECKING

from django.core.files.storage import default_storage
from django.db import transaction

from accounts.audit import record
from classifier import dispatch, guards, slide_files
from classifier.enums import ImageKind, SlideStatus
from classifier.exceptions import GuardFailed, TransitionRefused
from classifier.findings import Box
from classifier.models import ClassificationRun, Laboratory, Slide, SmearImage
from classifier.services.images import SlideRegion, add_image, lock_open_case, remove_image
from ml.errors import SlideRejected
from ml.preprocessing import to_png
from ml.slides.regions import read_region
from ml.types import BoundingBox
from vault.storage import delete_folder

if TYPE_CHECKING:
    from accounts.models import User
    from ml.slides.slide import Slide as OpenSlide

MOST_FIELDS = 200
"""That are taken at once."""

MOST_PIXELS = 12_000_000
"""Of a field: as large as a camera's picture. Larger ones are several fields."""
LEAST_SIDE = 200

_SAME = 0.8
"""Share of two boxes together, from which on they are the same field."""


def usual_count() -> int:
    """Return how many fields are proposed: one, with a white cell, for each of the target."""
    return min(MOST_FIELDS, Laboratory.current().cell_target)


@transaction.atomic
def ask_for_fields(*, slide: Slide, actor: "User", count: int) -> None:
    """Have a worker take so many fields of the monolayer, besides those taken before.

    Raises:
        GuardFailed: the slide isn't ready, the number is out of bounds, or one is at it already.
        NotPermitted, TransitionRefused: not by this person, or not any more.
    """
    case = lock_open_case(slide.case_id, actor)
    slide = _lock_ready(slide)
    if slide.fields_wanted:
        raise GuardFailed("Fields are being taken from this slide already.")
    if not 1 <= count <= MOST_FIELDS:
        raise GuardFailed(f"Ask for 1 to {MOST_FIELDS} fields at once.")
    slide.fields_wanted, slide.fields_asked_by, slide.problem = count, actor, ""
    slide.attempt, slide.lease_expires_at = 0, None
    slide.save(
        update_fields=["fields_wanted", "fields_asked_by", "problem", "attempt", "lease_expires_at"]
    )
    record(
        actor=actor,
        action="slide.fields_asked",
        target=slide,
        after={"slide": slide.pk, "fields": count},
        patient=case.patient_id,
    )
    dispatch.work_on_slides()


def take_field(*, slide: Slide, actor: "User", box: Box) -> SmearImage:
    """Take a region of the slide, in its pixels, as a field of the case.

    Raises:
        GuardFailed: too large, too small, beyond the slide, taken before, or it can't be read.
        NotPermitted, TransitionRefused, ImageRefused: as adding an image.
    """
    if not slide.is_ready:
        raise GuardFailed("The slide is not ready yet.")
    region = _checked(slide, box)
    try:
        with slide_files.opened(slide) as source:
            data = read_field(source, region)
    except SlideRejected as error:
        raise GuardFailed(str(error)) from error
    except OSError as error:
        raise GuardFailed("The slide's file can't be read now. Try again later.") from error
    with transaction.atomic():
        lock_open_case(slide.case_id, actor)
        slide = _lock_ready(slide)
        if is_taken(slide, box):
            raise GuardFailed("This field was taken already.")
        return keep_field(slide, box, data, actor)


@transaction.atomic
def remove_slide(*, slide: Slide, actor: "User") -> None:
    """Take a slide out of a case that is not submitted yet, and the fields taken from it.

    They go along because the usual reason is that the slide is another patient's.

    Raises:
        TransitionRefused: the case was submitted, or fields of the slide were classified.
        NotPermitted: not by this person.
    """
    case = lock_open_case(slide.case_id, actor)
    slide = Slide.objects.select_for_update(of=("self",)).get(pk=slide.pk)
    if ClassificationRun.objects.filter(image__slide=slide).exists():
        raise TransitionRefused("Fields of this slide were classified already; it stays.")
    if problem := guards.nothing_held(case):
        raise GuardFailed(problem)
    fields = list(slide.fields.all())
    for field in fields:
        remove_image(image=field, actor=actor, reason="Removed with its slide.")
    record(
        actor=actor,
        action="slide.removed",
        target=slide,
        before={"slide": slide.pk, "sha256": slide.original_sha256, "fields": len(fields)},
        patient=case.patient_id,
    )
    delete_files(slide)
    slide.delete()


def read_field(source: "OpenSlide", box: BoundingBox) -> bytes:
    """Return a region of an open slide as the bytes of a lossless PNG."""
    return to_png(read_region(source, box))


def keep_field(slide: Slide, box: Box, data: bytes, actor: "User") -> SmearImage:
    """Add what `read_field` returned to the case; its name tells place and slide."""
    return add_image(
        case_id=slide.case_id,
        actor=actor,
        data=data,
        file_name=f"{box[0]}, {box[1]} of {slide.original_name[-200:]}",
        kind=ImageKind.FIELD,
        region=SlideRegion(slide, box),
    )


def is_taken(slide: Slide, box: Box) -> bool:
    """Whether a field was taken from about this place."""
    return any(_likeness(taken, box) > _SAME for taken in taken_boxes(slide))


def shared_area(one: Box, other: Box) -> int:
    """Return what two boxes share, in pixels of the slide; 0 if they only touch."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, width) * max(0, height)


def taken_boxes(slide: Slide) -> list[Box]:
    """Return the boxes of the fields that were taken from the slide."""
    return [box for field in slide.fields.all() if (box := field.slide_box)]


def delete_files(slide: Slide) -> None:
    """Remove the slide's files once the transaction has committed.

    Those that a slide of another case shares stay.
    """
    if slide.kept_by_id or slide.copies.exists():
        return
    slide_id, folder, thumbnail = slide.pk, slide.folder, str(slide.thumbnail.name or "")

    def delete() -> None:
        slide_files.forget(slide_id)
        delete_folder(folder)
        if thumbnail:
            default_storage.delete(thumbnail)

    transaction.on_commit(delete)


def _lock_ready(slide: Slide) -> Slide:
    locked = Slide.objects.select_for_update(of=("self",)).filter(pk=slide.pk).first()
    if locked is None or locked.status != SlideStatus.READY:
        raise GuardFailed("The slide is not ready.")
    return locked


def _checked(slide: Slide, box: Box) -> BoundingBox:
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= (slide.width or 0) and 0 <= y0 < y1 <= (slide.height or 0)):
        raise GuardFailed("The field lies beyond the edge of the slide.")
    if min(x1 - x0, y1 - y0) < LEAST_SIDE:
        raise GuardFailed(f"A field has at least {LEAST_SIDE} pixels a side.")
    if (x1 - x0) * (y1 - y0) > MOST_PIXELS:
        limit = MOST_PIXELS // 1_000_000
        raise GuardFailed(f"A field has at most {limit} million pixels. Take several smaller ones.")
    return BoundingBox(x0, y0, x1, y1)


def _likeness(one: Box, other: Box) -> float:
    """What two boxes share, of what they cover together."""
    shared = shared_area(one, other)
    return shared / (_area(one) + _area(other) - shared)


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
