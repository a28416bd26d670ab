"""Keeping the reference library: add a cell of a signed case, describe it, retire it."""

import uuid
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from accounts.audit import record
from classifier import dispatch, policies
from classifier.enums import CaseStatus, CellOrigin, CellType
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.findings import Mark
from classifier.models import Cell, ReferenceCell
from classifier.models.reference_cells import TEACHING_LIMIT
from classifier.selectors.fields import RED_CELL_MICROMETRES
from classifier.services.images import make_thumbnail
from classifier.services.transitions import lock_case
from ml.cutting import cut_cells
from ml.preprocessing import decode_image, to_png
from ml.types import BoundingBox

if TYPE_CHECKING:
    from accounts.models import User

Pixels = NDArray[np.uint8]


@transaction.atomic
def add_cell_of_case(*, cell_id: uuid.UUID, actor: "User", teaching: str = "") -> ReferenceCell:
    """Put a copy of a signed cell's picture into the library, under the class that was signed.

    A cell that is in the library already is left as it is.

    Raises:
        NotPermitted: the actor doesn't review cases.
        TransitionRefused: the case isn't signed.
        GuardFailed: the cell has no class, was removed, or is cut by the edge.
    """
    _check_may_keep(actor)
    case = lock_case(Cell.objects.values_list("image__case_id", flat=True).get(pk=cell_id))
    if case.status != CaseStatus.SIGNED_OFF:
        raise TransitionRefused("Only cells of a signed case can be shown as examples.")
    known = ReferenceCell.objects.in_use().filter(cell=cell_id).first()
    if known:
        return known
    cell = Cell.objects.with_findings().select_related("image__scan").get(pk=cell_id)
    reference = ReferenceCell(
        cell_type=_signed_class(cell),
        cell=cell,
        pixels_per_micrometre=_scale_of(cell),
        teaching=_checked(teaching),
        added_by=actor,
    )
    store_reference(reference, _picture_of(cell))
    record(
        actor=actor,
        action="reference_cell.added",
        target=reference,
        after={"class": reference.cell_type, "cell": cell_id},
        patient=case.patient_id,
    )
    dispatch.embed_reference_cells()
    return reference


@transaction.atomic
def describe(*, reference_id: uuid.UUID, actor: "User", teaching: str) -> ReferenceCell:
    """Change the teaching text; the audit trail keeps the one before.

    Raises:
        NotPermitted, TransitionRefused: not by this person, or the cell is retired.
        GuardFailed: the text is too long.
    """
    reference = _lock_in_use(reference_id, actor)
    before, after = reference.teaching, _checked(teaching)
    if before == after:
        return reference
    reference.teaching = after
    reference.save(update_fields=["teaching"])
    record(
        actor=actor,
        action="reference_cell.described",
        target=reference,
        before={"teaching": before},
        after={"teaching": after},
    )
    return reference


@transaction.atomic
def retire(*, reference_id: uuid.UUID, actor: "User", reason: str) -> ReferenceCell:
    """Take a cell out of use; it is kept, with who did so and why.

    Raises:
        NotPermitted, TransitionRefused: not by this person, or it was retired before.
        GuardFailed: no reason is given.
    """
    reference = _lock_in_use(reference_id, actor)
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    reference.retired_by = actor
    reference.retired_at = timezone.now()
    reference.retired_reason = reason.strip()[:250]
    reference.save(update_fields=["retired_by", "retired_at", "retired_reason"])
    record(
        actor=actor,
        action="reference_cell.retired",
        target=reference,
        before={"class": reference.cell_type},
        reason=reason,
    )
    return reference


def store_reference(reference: ReferenceCell, pixels: Pixels) -> None:
    """Write picture and thumbnail, then the row; a failing row leaves no file behind."""
    reference.height, reference.width = pixels.shape[:2]
    reference.file.save("", ContentFile(to_png(pixels)), save=False)
    reference.thumbnail.save("", ContentFile(make_thumbnail(pixels)), save=False)
    try:
        reference.save(force_insert=True)
    except Exception:
        for stored in (reference.file, reference.thumbnail):
            stored.storage.delete(str(stored.name))
        raise


def _check_may_keep(actor: "User") -> None:
    if not policies.can_keep_reference_cells(actor):
        raise NotPermitted("Your role may not change the reference library.")


def _lock_in_use(reference_id: uuid.UUID, actor: "User") -> ReferenceCell:
    _check_may_keep(actor)
    reference = ReferenceCell.objects.select_for_update(of=("self",)).get(pk=reference_id)
    if reference.retired_at:
        raise TransitionRefused("This reference cell was retired.")
    return reference


def _checked(teaching: str) -> str:
    text = teaching.replace("\r\n", "\n").strip()
    if len(text) > TEACHING_LIMIT:
        raise GuardFailed(f"The teaching text is longer than {TEACHING_LIMIT} characters.")
    return text


def _signed_class(cell: Cell) -> str:
    """The class of a cell with findings, as it was signed; refused where it shows none."""
    if cell.removed:  # type: ignore[attr-defined]
        raise GuardFailed("There is no cell here: it was removed.")
    if cell.cut:  # type: ignore[attr-defined]
        raise GuardFailed("The edge of the picture cuts this cell; choose a whole one.")
    mark = Mark(cell.machine_type or "", cell.machine_referred, cell.human_type)  # type: ignore[attr-defined]
    if mark.finding == CellType.UNIDENTIFIED:
        raise GuardFailed("An unidentified cell is no example of a class.")
    return mark.finding


def _scale_of(cell: Cell) -> float | None:
    """Pixels per micrometre, where the red cells of its field tell."""
    scan = getattr(cell.image, "scan", None)
    return scan.red_cell / RED_CELL_MICROMETRES if scan else None


def _picture_of(cell: Cell) -> Pixels:
    """The cell as the classifier sees it, uint8[H, W, 3]."""
    with cell.image.file.open("rb") as master:
        pixels = decode_image(master.read()).pixels
    if cell.origin == CellOrigin.FULL_FRAME:
        return pixels
    return cut_cells(pixels, [BoundingBox(*cell.box_now)])[0]
