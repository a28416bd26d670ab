"""Registering a case again under the right patient, once what was issued of it is withdrawn.

The new case holds the same pictures, what the machine read on them, the standing marks and
grades of reviewers and the analyser's values. Files are shared, rows are new. It is submitted,
reviewed and signed like any other.
"""

import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from accounts.audit import record
from classifier import accession, guards, policies
from classifier.enums import CaseStatus, ReviewOutcome, RunStatus, SlideStatus
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import (
    AnalyserResult,
    Case,
    CaseOrigin,
    Cell,
    ClassificationRun,
    Correction,
    FieldScan,
    MorphologyFinding,
    Patient,
    Prediction,
    Review,
    SlideFile,
    Specimen,
)
from classifier.selectors.morphology import latest_findings
from classifier.services.cases import check_born_before
from classifier.services.critical import reassess
from classifier.services.patients import lock_standing
from classifier.services.transitions import lock_case

if TYPE_CHECKING:
    from accounts.models import User

ENDED = (CaseStatus.ENTERED_IN_ERROR, CaseStatus.REJECTED)
"""From these a case can be registered again: nothing of it stands as a result any more."""
BATCH = 1000

Row = TypeVar("Row", bound=Model)
Copies = dict[Any, Any]
"""The id of each row of the source to its copy."""


@transaction.atomic
def register_again(*, case_id: uuid.UUID, actor: "User", right_id: uuid.UUID, reason: str) -> Case:
    """Register a withdrawn or rejected case under the patient whose blood it is, as a new case.

    Once: asking again gives the case that was made.

    Raises:
        NotPermitted: the actor doesn't register patients.
        TransitionRefused: the case stands, or was made for another patient already.
        GuardFailed: no reason, the same patient, or an issued report still stands.
        InvalidSpecimen: the blood was collected before the right patient's birth.
    """
    if not policies.can_correct_patient(actor):
        raise NotPermitted("You may not register cases.")
    patient = lock_standing(right_id)
    source = lock_case(case_id)
    if made := CaseOrigin.objects.filter(source=source).select_related("case").first():
        return _made_before(made.case, patient)
    _check(source, patient, reason)
    case = _new_case(source, patient, actor)
    CaseOrigin.objects.create(case=case, source=source, reason=reason.strip(), registered_by=actor)
    copied = _copy_all(source, case)
    reassess(case)
    _audit(case, source, actor, reason, copied)
    return case


def _made_before(case: Case, patient: Patient) -> Case:
    if case.patient_id == patient.pk:
        return case
    raise TransitionRefused(
        f"It was registered again as {case.accession_number} already, under another patient."
    )


def _check(source: Case, patient: Patient, reason: str) -> None:
    if source.status not in ENDED:
        raise TransitionRefused(
            f"Case {source.accession_number} is {source.get_status_display().lower()}; "
            "it can't be registered again."
        )
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    if source.patient_id == patient.pk:
        raise GuardFailed("This is the patient under whom the case was registered.")
    if problem := guards.nothing_issued(source):
        raise GuardFailed(problem)
    check_born_before(source.specimen.collected_at, patient)


def _new_case(source: Case, patient: Patient, actor: "User") -> Case:
    kept = (
        *("priority", "ordering_clinician", "clinical_details"),
        *("wbc_count", "wbc_measured_at", "wbc_excludes_erythroblasts"),
    )
    case = Case.objects.create(
        accession_number=accession.allocate(timezone.localdate()),
        patient=patient,
        registered_by=actor,
        **{name: getattr(source, name) for name in kept},
    )
    _copy(Specimen.objects.get(case=source), case=case).save(force_insert=True)
    return case


def _copy_all(source: Case, case: Case) -> dict[str, int]:
    """Copy what belongs to the blood; return how many of each."""
    slides = _copy_slides(source, case)
    images = _copy_images(source, case, slides)
    cells = _copy_cells(images)
    _copy_readings(images, cells)
    marks, grades = _copy_judgements(source, case, cells)
    values = [
        _copy(row, case=case, came_late=False)
        for row in source.analyser_results.select_related("taking")
        if row.stands
    ]
    AnalyserResult.objects.bulk_create(values)
    return {
        "images": len(images),
        "cells": len(cells),
        "marks": marks,
        "grades": grades,
        "analyser_results": len(values),
    }


def _copy(row: Row, **changed: Any) -> Row:
    """Return an unsaved row with the same columns but the key and what is changed."""
    columns = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key and field.name not in changed
    }
    return type(row)(**columns, **changed)


def _copy_slides(source: Case, case: Case) -> Copies:
    """Copy the slides that were read; their files stay where they are, with the first of them."""
    copies: Copies = {}
    for slide in source.slides.filter(status=SlideStatus.READY).select_related("kept_by"):
        keeper = slide.kept_by or slide
        copy = _copy(slide, case=case, kept_by=keeper, fields_wanted=0, fields_asked_by=None)
        copy.save(force_insert=True)
        SlideFile.objects.bulk_create(_copy(file, slide=copy) for file in slide.files.all())
        copies[slide.pk] = copy
    return copies


def _copy_images(source: Case, case: Case, slides: Copies) -> Copies:
    copies: Copies = {}
    for image in source.images.order_by("uploaded_at", "pk"):
        copy = _copy(image, case=case, slide=slides.get(image.slide_id))
        copy.save(force_insert=True)
        copies[image.pk] = copy
    return copies


def _copy_cells(images: Copies) -> Copies:
    rows = list(Cell.objects.filter(image__in=images))
    copies: Copies = {
        row.pk: _copy(row, image=images[row.image_id], repeat_of=None) for row in rows
    }
    Cell.objects.bulk_create(copies.values(), batch_size=BATCH)
    repeats = []
    for row in rows:
        if row.repeat_of_id:
            copies[row.pk].repeat_of = copies[row.repeat_of_id]
            repeats.append(copies[row.pk])
    Cell.objects.bulk_update(repeats, ["repeat_of"], batch_size=BATCH)
    return copies


def _copy_readings(images: Copies, cells: Copies) -> None:
    """Copy what the machine read to its end; what failed is read again."""
    done = ClassificationRun.objects.filter(image__in=images, status=RunStatus.SUCCEEDED)
    runs: Copies = {run.pk: _copy(run, image=images[run.image_id]) for run in done.order_by("pk")}
    ClassificationRun.objects.bulk_create(runs.values())
    FieldScan.objects.bulk_create(
        _copy(scan, image=images[scan.image_id], run=runs[scan.run_id])
        for scan in FieldScan.objects.filter(run__in=runs)
    )
    Prediction.objects.bulk_create(
        (
            _copy(row, run=runs[row.run_id], cell=cells[row.cell_id])
            for row in Prediction.objects.filter(run__in=runs).order_by("pk")
        ),
        batch_size=BATCH,
    )


def _copy_judgements(source: Case, case: Case, cells: Copies) -> tuple[int, int]:
    """Copy the standing marks and grades, by whom they are, into a closed review of their own."""
    latest = Correction.objects.filter(cell__in=cells).order_by("cell_id", "-pk")
    marks = [row for row in latest.distinct("cell_id") if not row.is_withdrawn]
    grades = list(latest_findings(source).values())
    if not marks and not grades:
        return 0, 0
    last = source.reviews.order_by("-pk")[0]
    review = Review.objects.create(
        case=case,
        reviewer=last.reviewer,
        completed_at=timezone.now(),
        outcome=ReviewOutcome.CARRIED_OVER,
        has_platelet_clumps=last.has_platelet_clumps,
    )
    step = uuid.uuid4()
    Correction.objects.bulk_create(
        _copy(row, review=review, cell=cells[row.cell_id], action_id=step, undoes=None)
        for row in marks
    )
    MorphologyFinding.objects.bulk_create(
        _copy(row, review=review, action_id=step) for row in grades
    )
    return len(marks), len(grades)


def _audit(case: Case, source: Case, actor: "User", reason: str, copied: dict[str, int]) -> None:
    """Write it down in the trail of both patients."""
    facts = {"source": source.accession_number, "case": case.accession_number, **copied}
    record(
        actor=actor,
        action="case.registered",
        target=case,
        after={"accession_number": case.accession_number, "priority": case.priority},
        reason=reason,
        patient=case.patient_id,
    )
    for target in (case, source):
        record(
            actor=actor,
            action="case.registered_again",
            target=target,
            after=facts,
            reason=reason,
            patient=target.patient_id,
        )
