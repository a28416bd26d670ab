"""The content that a report would have if it were signed now, read from the clinical record."""

import uuid
from collections.abc import Sequence

from django.db.models import TextChoices

from classifier.enums import UNITS, Priority, Sex
from classifier.exceptions import GuardFailed
from classifier.models import Case, Laboratory, ModelVersion
from classifier.selectors import differential as counts
from classifier.services.reviews import find_open_review
from reports import content as c
from reports import pictures, wording
from reports.changes import list_changes
from reports.enums import ReportStatus
from reports.models import Report

ANALYSER = "Haematology analyser"


def draft_report(case: Case, *, cell_ids: Sequence[uuid.UUID] | None = None) -> c.ReportContent:
    """Return the unsigned content of the case's next version.

    ``cell_ids`` are the cells to print, in any order; None leaves the choice to the laboratory's
    rule. Holds nothing that changes by itself: drafted twice from the same record it is equal.

    Raises:
        GuardFailed: a chosen cell isn't of this case, or too many are chosen.
    """
    last = case.reports.order_by("-version").first()
    found = pictures.find_cells(case)
    chosen = _chosen(found, cell_ids)
    draft = _first_version(case, pictures.describe(chosen))
    return _as_correction(draft, last, case.status_reason) if last else draft


def _chosen(
    found: Sequence[pictures.FoundCell], cell_ids: Sequence[uuid.UUID] | None
) -> list[pictures.FoundCell]:
    if cell_ids is None:
        return pictures.choose_pictures(found)
    wanted = set(cell_ids)
    chosen = [item for item in found if item.cell.pk in wanted]
    if len(chosen) != len(wanted):
        raise GuardFailed("Choose cell images of this case.")
    if len(chosen) > pictures.MOST_PICTURES:
        raise GuardFailed(f"Choose at most {pictures.MOST_PICTURES} cell images.")
    return chosen


def _first_version(case: Case, shown: tuple[c.CellPicture, ...]) -> c.ReportContent:
    marks = counts.list_marks(case)
    counted = counts.count_cells(case, marks)
    reading = _reading(case, counted, marks)
    white_count = _white_count(counted)
    red_cells = c.NucleatedRedCells(counted.erythroblasts, counted.erythroblasts_per_hundred)
    review = find_open_review(case)
    return c.ReportContent(
        schema_version=c.SCHEMA_VERSION,
        version=1,
        status=_coded(ReportStatus.FINAL),
        laboratory=_letterhead(Laboratory.current()),
        patient=_patient(case, counted.age_years),
        request=_request(case),
        specimen=_specimen(case),
        differential=tuple(_row(row) for row in counted.rows),
        white_count=white_count,
        nucleated_red_cells=red_cells,
        other_cells=tuple(
            c.OtherCells(_coded(aside.cell_type), aside.count)
            for aside in counted.asides
            if aside.count
        ),
        interpretation=review.comment if review else "",
        reading=reading,
        pictures=shown,
        method=wording.method_of(reading),
        limits=wording.limits_of(reading, white_count, red_cells, counted.reference_note),
        amendment=None,
        signature=None,
    )


def _as_correction(draft: c.ReportContent, last: Report, reason: str) -> c.ReportContent:
    return draft.correcting(
        version=last.version + 1,
        status=_coded(ReportStatus.CORRECTED),
        amendment=c.Amendment(
            supersedes_version=last.version,
            supersedes_sha256=last.content_sha256,
            superseded_at=last.issued_at,
            reason=reason,
            changes=list_changes(last.says, draft),
        ),
    )


def _coded(choice: TextChoices) -> c.Coded:
    return c.Coded(choice.value, str(choice.label))


def _letterhead(laboratory: Laboratory) -> c.Letterhead:
    return c.Letterhead(
        name=laboratory.name,
        address=laboratory.address,
        phone=laboratory.phone,
        director=laboratory.director,
        accreditation=laboratory.accreditation,
        is_demo=laboratory.is_demo,
    )


def _patient(case: Case, age_years: int) -> c.PatientIdentity:
    patient = case.patient
    return c.PatientIdentity(
        id=str(patient.pk),
        mrn=patient.mrn,
        mrn_issuer=patient.mrn_issuer,
        family_name=patient.family_name,
        given_name=patient.given_name,
        birth_date=patient.birth_date,
        sex=_coded(Sex(patient.sex)),
        age_years=age_years,
    )


def _request(case: Case) -> c.RequestDetails:
    return c.RequestDetails(
        case_id=str(case.pk),
        accession_number=case.accession_number,
        priority=_coded(Priority(case.priority)),
        ordering_clinician=case.ordering_clinician,
        clinical_details=case.clinical_details,
        submitted_at=case.submitted_at,
        submitted_by=case.submitted_by.name_with_title if case.submitted_by else "",
    )


def _specimen(case: Case) -> c.SpecimenDetails:
    specimen = case.specimen
    return c.SpecimenDetails(
        specimen_type=c.Coded(specimen.specimen_type, specimen.get_specimen_type_display()),
        stain=c.Coded(specimen.stain, specimen.get_stain_display()),
        condition=c.Coded(specimen.condition, specimen.get_condition_display()),
        condition_note=specimen.condition_note,
        collected_at=specimen.collected_at,
        received_at=specimen.received_at,
    )


def _row(row: counts.Row) -> c.DifferentialRow:
    return c.DifferentialRow(
        cell_type=_coded(row.cell_type),
        count=row.count,
        percent=row.percent,
        ci_low=row.interval.low if row.interval else None,
        ci_high=row.interval.high if row.interval else None,
        absolute=row.absolute,
        reference=_reference(row.reference) if row.reference else None,
        flag=c.Coded(row.flag, row.flag.capitalize()) if row.flag else None,
    )


def _reference(reference: counts.Reference) -> c.Reference:
    return c.Reference(
        quantity=_coded(reference.quantity),
        unit=UNITS[reference.quantity],
        low=reference.limits.low,
        high=reference.limits.high,
        version=reference.version,
        source=reference.source,
        is_approved=reference.is_approved,
    )


def _white_count(counted: counts.Differential) -> c.WhiteCount | None:
    if counted.wbc_count is None:
        return None
    return c.WhiteCount(counted.wbc_count, counted.wbc_measured_at, ANALYSER)


def _reading(case: Case, counted: counts.Differential, marks: Sequence[counts.Mark]) -> c.Reading:
    read = [mark for mark in marks if mark.machine_type]
    models = ModelVersion.objects.filter(
        runs__image__case=case, runs__predictions__isnull=False
    ).order_by("pk")
    return c.Reading(
        software=tuple(c.Software(m.name, m.version, m.sha256) for m in models.distinct()),
        images=case.images.count(),
        cells=counted.cells,
        leukocytes=counted.leukocytes,
        leukocyte_target=counted.target,
        read_by_software=len(read),
        referred=sum(mark.is_referred for mark in read),
        named_by_human=counted.human_marked,
        changed_by_human=sum(mark.is_changed and not mark.is_referred for mark in read),
    )
