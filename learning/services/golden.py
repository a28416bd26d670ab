"""Labelled sets: opened, filled from signed cases by two people or from a folder, then frozen."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from numpy.typing import NDArray

from accounts.audit import record
from classifier.enums import CaseStatus, CellType, ImageKind
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case, Cell, SmearImage
from classifier.selectors.cells import list_cells
from learning import policies
from learning.enums import SetKind, SetState
from learning.models import LabelledCell, LabelledSet, Nomination
from ml.cutting import cut_cells
from ml.preprocessing import decode_image, to_png
from ml.types import BoundingBox

if TYPE_CHECKING:
    from accounts.models import User
    from classifier.selectors.cells import CellView


@dataclass(frozen=True, slots=True)
class Picture:
    """A labelled picture that comes from outside: its file's bytes, class, group and key."""

    key: str
    cell_type: str
    group: str
    data: bytes
    box: BoundingBox | None = None


@transaction.atomic
def open_set(
    *, name: str, kind: SetKind, source: str, actor: "User", licence: str = ""
) -> LabelledSet:
    """Open a draft, the next version of its name.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: a draft of this name is open already.
    """
    _check(actor)
    versions = LabelledSet.objects.filter(name=name)
    if versions.filter(state=SetState.DRAFT).exists():
        raise GuardFailed(f"A draft of {name} is open already.")
    last = versions.aggregate(last=Max("version"))["last"] or 0
    opened = LabelledSet.objects.create(
        name=name, version=last + 1, kind=kind, source=source, licence=licence, created_by=actor
    )
    record(actor=actor, action="labelled_set.opened", target=opened, after={"source": source})
    return opened


@transaction.atomic
def nominate_case(*, set_id: uuid.UUID, accession_number: str, actor: "User") -> int:
    """Put forward the cells of a signed case that a pathologist named; return how many are new.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the set is frozen, or there is no such signed case.
    """
    _check(actor)
    draft = _lock_draft(set_id)
    case = Case.objects.visible_to(actor).filter(accession_number=accession_number.strip()).first()
    if case is None or case.status != CaseStatus.SIGNED_OFF or case.signed_by is None:
        raise GuardFailed("There is no signed case of this accession number.")
    named = [view for view in list_cells(case) if _is_named(view)]
    known = set(draft.nominations.values_list("cell_id", flat=True))
    fresh = [view for view in named if view.id not in known]
    Nomination.objects.bulk_create(
        Nomination(
            labelled_set=draft,
            cell_id=view.id,
            first_type=view.mark.human_type,
            first_reader=case.signed_by,
        )
        for view in fresh
    )
    if fresh:
        record(
            actor=actor,
            action="labelled_set.nominated",
            target=draft,
            after={"cells": len(fresh)},
            patient=case.patient_id,
        )
    return len(fresh)


@transaction.atomic
def name_nomination(*, nomination_id: int, cell_type: str, actor: "User") -> Nomination:
    """Take the second reader's word on a cell, once; he sees the picture alone.

    Raises:
        NotPermitted: the actor reviews no cases, or is the first reader.
        GuardFailed: the set is frozen, or somebody has read the cell.
    """
    nomination = Nomination.objects.select_for_update().get(pk=nomination_id)
    if not policies.can_name_nomination(actor, nomination):
        raise NotPermitted("A second pathologist names the cells of a labelled set.")
    _lock_draft(nomination.labelled_set_id)
    if nomination.second_type:
        raise GuardFailed("Somebody has named this cell already.")
    nomination.second_type, nomination.second_reader = CellType(cell_type), actor
    nomination.read_at = timezone.now()
    nomination.save(update_fields=["second_type", "second_reader", "read_at"])
    record(
        actor=actor,
        action="nomination.read",
        target=nomination.labelled_set,
        after={"cell": nomination.cell_id, "agrees": nomination.is_agreed},
    )
    return nomination


@transaction.atomic
def import_pictures(*, set_id: uuid.UUID, pictures: Iterable[Picture], actor: "User") -> int:
    """Take labelled pictures into a draft; what is there under its key is left alone.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the set is frozen, or doesn't say under which licence its cells are.
        ImageRejected: a picture can't be read.
    """
    _check(actor)
    draft = _lock_draft(set_id)
    if not draft.licence:
        raise GuardFailed("Say under which licence the pictures are.")
    known = set(draft.cells.values_list("key", flat=True))
    added = 0
    for each in pictures:
        if each.key not in known:
            pixels = decode_image(each.data).pixels
            png = to_png(cut_cells(pixels, [each.box])[0] if each.box else pixels)
            cell = LabelledCell(key=each.key, cell_type=each.cell_type, group=each.group)
            _store(draft, cell, png)
            added += 1
    record(actor=actor, action="labelled_set.imported", target=draft, after={"cells": added})
    return added


@transaction.atomic
def freeze_set(*, set_id: uuid.UUID, actor: "User") -> LabelledSet:
    """Take in the cells on which both readers agree, and close the set for good.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: cells wait for their second reader, or the set would be empty.
    """
    _check(actor)
    draft = LabelledSet.objects.select_for_update().get(pk=set_id)
    if draft.state != SetState.DRAFT:
        return draft
    if waiting := draft.nominations.filter(second_type="").count():
        raise GuardFailed(f"{waiting} cells wait for their second reader.")
    agreed = draft.nominations.select_related("cell__image__case")
    for nomination in agreed:
        if nomination.is_agreed:
            _take(draft, nomination)
    if not draft.cells.exists():
        raise GuardFailed("The set holds no cell on which two people agree.")
    draft.digest, draft.state = digest_of_cells(draft), SetState.FROZEN
    draft.frozen_by, draft.frozen_at = actor, timezone.now()
    draft.save(update_fields=["digest", "state", "frozen_by", "frozen_at"])
    record(
        actor=actor,
        action="labelled_set.frozen",
        target=draft,
        after={"digest": draft.digest, "cells": draft.cells.count()},
    )
    return draft


@transaction.atomic
def retire_set(*, set_id: uuid.UUID, actor: "User", reason: str) -> LabelledSet:
    """Have a frozen set judge no more; what it judged stays. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: it is a draft, or no reason is given.
    """
    _check(actor)
    found = LabelledSet.objects.select_for_update().get(pk=set_id)
    if found.state == SetState.RETIRED:
        return found
    if found.state == SetState.DRAFT or not reason.strip():
        raise GuardFailed("Give a reason; a draft is not retired.")
    found.state, found.retired_because = SetState.RETIRED, reason.strip()
    found.retired_by, found.retired_at = actor, timezone.now()
    found.save(update_fields=["state", "retired_because", "retired_by", "retired_at"])
    record(actor=actor, action="labelled_set.retired", target=found, reason=reason)
    return found


def digest_of_cells(labelled_set: LabelledSet) -> str:
    """SHA-256 over the sorted keys, classes and picture hashes of a set's cells."""
    return digest_of(labelled_set.cells.values_list("key", "cell_type", "sha256"))


def digest_of(rows: Iterable[tuple[str, str, str]]) -> str:
    """The same of keys, classes and picture hashes."""
    lines = sorted("\t".join(row) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check(actor: "User") -> None:
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")


def _lock_draft(set_id: uuid.UUID) -> LabelledSet:
    draft = LabelledSet.objects.select_for_update().get(pk=set_id)
    if draft.state != SetState.DRAFT:
        raise GuardFailed("A frozen set never changes: open another version.")
    return draft


def _is_named(view: "CellView") -> bool:
    """Whether a person named it, and it counts: a golden cell is nobody's guess."""
    kind = view.mark.human_type
    return bool(kind) and kind != CellType.UNIDENTIFIED and not view.fate


def _take(draft: LabelledSet, nomination: Nomination) -> None:
    cell = nomination.cell
    labelled = LabelledCell(
        key=f"cell/{cell.pk}",
        cell_type=nomination.first_type,
        group=f"patient/{cell.image.case.patient_id}",
        cell=cell,
        first_reader=nomination.first_reader,
        second_reader=nomination.second_reader,
    )
    _store(draft, labelled, picture_of(cell))


def picture_of(cell: Cell) -> bytes:
    """A cell as the classifier sees it, as PNG: the cut of a field, or the single picture."""
    return cut_of(pixels_of(cell.image), cell)


def pixels_of(image: SmearImage) -> NDArray[np.uint8]:
    """The picture of a case, uint8[H, W, 3] RGB."""
    with image.file.open("rb") as master:
        return decode_image(master.read()).pixels


def cut_of(pixels: NDArray[np.uint8], cell: Cell) -> bytes:
    """A cell of a picture that is decoded already, as the classifier sees it, as PNG."""
    x0, y0, x1, y1 = box = cell.box
    if cell.image.kind == ImageKind.FIELD:
        return to_png(cut_cells(pixels, [BoundingBox(*box)])[0])
    return to_png(pixels[y0:y1, x0:x1])


def _store(draft: LabelledSet, cell: LabelledCell, png: bytes) -> None:
    cell.labelled_set, cell.sha256 = draft, hashlib.sha256(png).hexdigest()
    cell.file.save("", ContentFile(png), save=False)
    cell.save(force_insert=True)
