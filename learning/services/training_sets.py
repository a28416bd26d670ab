"""Training sets: gathered by a worker from signed cases, looked at by people, frozen for good."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts.audit import record
from classifier.enums import CaseStatus, CellType
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case, Cell
from learning import dispatch, policies
from learning.enums import LeftOut, TrainingState
from learning.models import BasisOfUse, TrainingCell, TrainingSet
from learning.selectors.disagreements import Named, other_names
from learning.selectors.golden import golden_cases, golden_hashes
from learning.selectors.unwilling import objecting_patients, restricted_patients
from learning.services.consent import basis_in_force
from learning.services.golden import cut_of, pixels_of
from ml.errors import ImageRejected
from ml.training_sets import SetCell, digest_of_cells

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


@transaction.atomic
def open_training_set(*, since: date, until: date, actor: "User", stain: str = "") -> TrainingSet:
    """Have a worker gather the cells that people named on cases signed in a period.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: no basis of use is approved, another set is open, or the period runs backward.
    """
    _check(actor)
    basis = basis_in_force()
    if basis is None:
        raise GuardFailed("No basis of use is approved: nothing may be learned from yet.")
    if until < since:
        raise GuardFailed("The period ends before it begins.")
    BasisOfUse.objects.select_for_update().get(pk=basis.pk)
    if TrainingSet.objects.exclude(state=TrainingState.FROZEN).exists():
        raise GuardFailed("Another set is open: freeze it first.")
    last = TrainingSet.objects.aggregate(last=Max("version"))["last"] or 0
    opened = TrainingSet.objects.create(
        version=last + 1, since=since, until=until, stain=stain, basis=basis, created_by=actor
    )
    record(
        actor=actor,
        action="training_set.opened",
        target=opened,
        after={"since": since, "until": until, "stain": stain, "basis": basis.version},
    )
    dispatch.gather_training_sets()
    return opened


def gather_waiting() -> int:
    """Gather the cells of sets that wait for it; return how many sets."""
    done = 0
    waiting = TrainingSet.objects.filter(state=TrainingState.GATHERING)
    for pk in list(waiting.values_list("pk", flat=True)):
        with transaction.atomic():
            locked = waiting.select_for_update(skip_locked=True).filter(pk=pk).first()
            if locked is not None:
                _gather(locked)
                done += 1
    return done


@transaction.atomic
def leave_out(*, cell_id: int, reason: str, actor: "User") -> TrainingCell:
    """Leave a cell out of a draft, or take it back with an empty reason.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the set is frozen.
    """
    _check(actor)
    cell = TrainingCell.objects.select_for_update().get(pk=cell_id)
    draft = _lock_draft(cell.training_set_id)
    if cell.left_out == reason.strip():
        return cell
    cell.left_out = reason.strip()
    cell.left_out_by = actor if cell.left_out else None
    cell.save(update_fields=["left_out", "left_out_by"])
    record(
        actor=actor,
        action="training_cell.left_out" if cell.left_out else "training_cell.taken_back",
        target=draft,
        after={"cell": cell.cell_id, "class": cell.cell_type},
        reason=cell.left_out,
        patient=cell.patient_id,
    )
    return cell


@transaction.atomic
def freeze_training_set(*, set_id: uuid.UUID, actor: "User") -> TrainingSet:
    """Close a draft for good, and name it by a hash. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: it is still being gathered, or holds no cell.
    """
    _check(actor)
    draft = TrainingSet.objects.select_for_update().get(pk=set_id)
    if draft.state == TrainingState.FROZEN:
        return draft
    if draft.state == TrainingState.GATHERING:
        raise GuardFailed("Its cells are still being gathered.")
    _drop_unwilling(draft, actor)
    cells = manifest_cells(draft)
    if not cells:
        raise GuardFailed("The set holds no cell.")
    draft.state, draft.digest = TrainingState.FROZEN, digest_of_cells(cells)
    draft.frozen_by, draft.frozen_at = actor, timezone.now()
    draft.save(update_fields=["state", "digest", "frozen_by", "frozen_at"])
    record(
        actor=actor,
        action="training_set.frozen",
        target=draft,
        after={"digest": draft.digest, "cells": len(cells)},
    )
    return draft


def manifest_cells(training_set: TrainingSet) -> tuple[SetCell, ...]:
    """The cells that are in, as they are named and hashed."""
    rows = training_set.cells.filter(left_out="").order_by("pk")
    return tuple(
        SetCell(
            key=f"cell/{cell_id}",
            file=f"{cell_id}.png",
            label=label,
            group=f"patient/{patient_id}",
            sha256=sha256,
        )
        for cell_id, label, patient_id, sha256 in rows.values_list(
            "cell_id", "cell_type", "patient_id", "sha256"
        )
    )


def _check(actor: "User") -> None:
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")


def _lock_draft(set_id: uuid.UUID) -> TrainingSet:
    draft = TrainingSet.objects.select_for_update().get(pk=set_id)
    if draft.state != TrainingState.DRAFT:
        raise GuardFailed("Cells are left out of drafts only; a frozen set never changes.")
    return draft


def _drop_unwilling(draft: TrainingSet, actor: "User") -> None:
    """Who objects, or whose record was restricted, since the gathering is left out at last."""
    for reason, patients in (
        (LeftOut.OBJECTION, objecting_patients()),
        (LeftOut.RESTRICTED, restricted_patients()),
    ):
        draft.cells.filter(patient__in=patients.values("pk"), left_out="").update(
            left_out=reason.label, left_out_by=actor
        )


def _gather(training_set: TrainingSet) -> None:
    """Take in every cell that a person named, and count by reason what stays out."""
    counts: Counter[str] = Counter()
    seen, golden = set(), golden_hashes()
    for cell, names, png in _pictures(training_set, counts):
        sha256 = hashlib.sha256(png).hexdigest()
        if sha256 in golden:
            counts[LeftOut.GOLDEN_PICTURE] += 1
        elif sha256 in seen:
            counts[LeftOut.REPEATED] += 1
        else:
            seen.add(sha256)
            _take(training_set, cell, names, png, sha256)
    training_set.counts, training_set.state = dict(counts), TrainingState.DRAFT
    training_set.save(update_fields=["counts", "state"])
    record(
        actor=training_set.created_by,
        action="training_set.gathered",
        target=training_set,
        after={"cells": len(seen), "left_out": training_set.counts},
    )


def _pictures(
    training_set: TrainingSet, counts: Counter[str]
) -> Iterator[tuple[Any, Named, bytes]]:
    """Every cell that may be learned from, who names it otherwise, and its picture."""
    cases = _signed_in(training_set)
    allowed = _allowed(training_set, cases, counts)
    cells = list(_named(allowed).order_by("image_id", "pk"))
    others: Mapping[uuid.UUID, Named] = other_names(cells)
    for _, members in groupby(cells, key=lambda cell: cell.image_id):
        group = list(members)
        try:
            pixels = pixels_of(group[0].image)
        except (ImageRejected, OSError):
            counts[LeftOut.UNREADABLE] += len(group)
            continue
        for cell in group:
            yield cell, others.get(cell.pk, []), cut_of(pixels, cell)


def _signed_in(training_set: TrainingSet) -> "QuerySet[Case]":
    """Cases whose signed report stands: none that is being amended or was entered in error."""
    cases = Case.objects.filter(
        status=CaseStatus.SIGNED_OFF,
        signed_at__date__gte=training_set.since,
        signed_at__date__lte=training_set.until,
    )
    return cases.filter(specimen__stain=training_set.stain) if training_set.stain else cases


def _allowed(
    training_set: TrainingSet, cases: "QuerySet[Case]", counts: Counter[str]
) -> "QuerySet[Case]":
    """Cases that a basis covers, of patients who may be learned from, in no labelled set."""
    for reason, outside in (
        (LeftOut.NO_BASIS, {"signed_at__date__lt": training_set.basis.covers_from}),
        (LeftOut.OBJECTION, {"patient__in": objecting_patients().values("pk")}),
        (LeftOut.RESTRICTED, {"patient__in": restricted_patients().values("pk")}),
        (LeftOut.GOLDEN_PATIENT, {"pk__in": golden_cases().values("pk")}),
    ):
        if found := _named(cases.filter(**outside)).count():
            counts[reason] += found
        cases = cases.exclude(**outside)
    return cases


def _named(cases: "QuerySet[Case]") -> "QuerySet[Any]":
    """The cells of these cases that count and whose class a person named or accepted."""
    counted: QuerySet[Any] = Cell.objects.filter(image__case__in=cases).counted()
    unnamed = Q(human_type__in=("", CellType.UNIDENTIFIED))
    return counted.exclude(unnamed).select_related("image__case")


def _take(training_set: TrainingSet, cell: Any, names: Named, png: bytes, sha256: str) -> None:
    person = cell.corrections.exclude(cell_type="").order_by("-pk").first().created_by
    taken = TrainingCell(
        training_set=training_set,
        cell=cell,
        patient_id=cell.image.case.patient_id,
        cell_type=cell.human_type,
        named_by=person,
        sha256=sha256,
        other_names=[list(pair) for pair in names],
    )
    taken.file.save("", ContentFile(png), save=False)
    taken.save(force_insert=True)
