"""Keeping the set of known cells: taken whole from what experts agreed on, retired one by one."""

import uuid
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import NotPermitted
from classifier.models import ReferenceStudy
from classifier.services.images import make_thumbnail
from classifier.services.reading_pictures import LONGEST_SIDE, open_picture
from learning.enums import SetKind, SetState
from learning.models import LabelledSet
from ml.preprocessing import decode_image
from quality import policies
from quality.exceptions import CheckRefused
from quality.models import KnownCell
from quality.selectors.known_cells import agreed_cells, patients_left_out

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def take_count(*, actor: "User", study_id: uuid.UUID) -> int:
    """Keep the cells of a completed count on whose class its readers agreed; return how many.

    What is kept already, also what was retired, is left alone.

    Raises:
        NotPermitted: the actor doesn't keep the known cells.
        CheckRefused: the readers agreed on none, or the patient's cells may not be used.
        OSError, ImageRejected: a picture can't be read.
    """
    _check(actor)
    studies = ReferenceStudy.objects.visible_to(actor).select_for_update(of=("self",))
    study = studies.select_related("case").get(pk=study_id)
    if patients_left_out().filter(pk=study.case.patient_id).exists():
        raise CheckRefused("This patient's cells are used for nothing beside their care.")
    agreed = dict(agreed_cells(study))
    if not agreed:
        raise CheckRefused("The reference count holds no cell on which its readers agreed.")
    known = set(KnownCell.objects.values_list("cell", flat=True))
    fresh = {each: name for each, name in agreed.items() if each.cell_id not in known}
    for each, name in fresh.items():
        with open_picture(each) as picture:
            kept = KnownCell(
                cell_type=name, group=f"case/{study.case_id}", cell_id=each.cell_id, counted=each
            )
            _store(kept, picture.read(), actor)
    return _audit(actor, study, len(fresh), study.case.patient_id)


@transaction.atomic
def take_set(*, actor: "User", set_id: uuid.UUID) -> int:
    """Keep the cells of a frozen golden set; return how many. Those kept are left alone.

    Raises:
        NotPermitted: the actor doesn't keep the known cells.
        CheckRefused: it isn't a golden set in use.
        OSError, ImageRejected: a picture can't be read.
    """
    _check(actor)
    source = LabelledSet.objects.select_for_update().get(pk=set_id)
    if source.kind != SetKind.GOLDEN or source.state != SetState.FROZEN:
        raise CheckRefused("Only a frozen golden set that is in use gives known cells.")
    known = KnownCell.objects.exclude(cell=None).values("cell")
    cells = source.cells.filter(known=None).exclude(cell__in=known)
    fresh = list(cells.exclude(cell__image__case__patient__in=patients_left_out()))
    for each in fresh:
        with each.file.open("rb") as stored:
            pixels = decode_image(stored.read()).pixels
        kept = KnownCell(
            cell_type=each.cell_type, group=each.group, cell_id=each.cell_id, labelled=each
        )
        _store(kept, make_thumbnail(pixels, side=LONGEST_SIDE), actor)
    return _audit(actor, source, len(fresh), None)


@transaction.atomic
def retire_cell(*, actor: "User", known_id: uuid.UUID, reason: str) -> KnownCell:
    """Use a cell no more, as its class is in doubt; it leaves all figures. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't keep the set.
        CheckRefused: no reason is given.
    """
    _check(actor)
    if not reason.strip():
        raise CheckRefused("Say why the cell is no longer used.")
    known = KnownCell.objects.select_for_update(of=("self",)).get(pk=known_id)
    if known.retired_at is None:
        known.retired_by, known.retired_at = actor, timezone.now()
        known.retired_because = reason.strip()[:250]
        known.save(update_fields=["retired_by", "retired_at", "retired_because"])
        record(
            actor=actor, action="known_cell.retired", target=known, reason=reason,
            before={"class": known.cell_type},
        )  # fmt: skip
    return known


def _check(actor: "User") -> None:
    if not policies.can_keep_checks(actor):
        raise NotPermitted("Only whoever manages the laboratory keeps the known cells.")


def _store(known: KnownCell, picture: bytes, actor: "User") -> None:
    """Write the picture, then the row; a failing row leaves no file behind."""
    known.added_by = actor
    known.picture.save("", ContentFile(picture), save=False)
    try:
        known.save(force_insert=True)
    except Exception:
        known.picture.storage.delete(str(known.picture.name))
        raise


def _audit(actor: "User", source: Model, cells: int, patient: uuid.UUID | None) -> int:
    if cells:
        record(
            actor=actor, action="known_cell.taken", target=source, after={"cells": cells},
            patient=patient,
        )  # fmt: skip
    return cells
