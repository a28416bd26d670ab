"""The content that a report would have if it were signed now, read from the clinical record."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from classifier.enums import Priority, Sex
from classifier.exceptions import GuardFailed
from classifier.models import Case, FieldScan, Laboratory, ModelVersion
from classifier.selectors import differential as counts
from classifier.selectors.cells import list_cells
from classifier.selectors.fields import FieldsSummary, summarise_fields
from classifier.selectors.references import flag_of
from classifier.services.reviews import find_open_review
from consultation.selectors.referrals import list_answered
from reports import content as c
from reports import pictures, wording
from reports.analyser import describe_analyser
from reports.critical import describe_critical, flag, platelets_flag
from reports.delta import find_deltas
from reports.enums import Issue, ReportStatus
from reports.layouts import describe_layout
from reports.models import DeltaDismissal
from reports.morphology import describe_morphology
from reports.previous import list_previous
from reports.references import describe_reference
from reports.succession import as_next, coded


def draft_report(
    case: Case,
    *,
    cell_ids: Sequence[uuid.UUID] | None = None,
    issue: Issue = Issue.RESULT,
) -> c.ReportContent:
    """Return the unsigned content of the case's next version.

    ``cell_ids`` are the cells to print, in any order; None leaves the choice to the laboratory's
    rule. Holds nothing that changes by itself: drafted twice from the same record it is equal.

    Raises:
        GuardFailed: a chosen cell isn't of this case, or too many are chosen; or see `as_next`.
    """
    last = case.reports.order_by("-version").first()
    found = pictures.find_cells(case)
    if issue == Issue.ADDITION and cell_ids is None:
        cell_ids = ()
    chosen = _chosen(found, cell_ids)
    draft = _first_version(case, pictures.describe(chosen))
    return as_next(draft, last, issue, case.status_reason)


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
    found = _find(case)
    counted, rows = found.counted, rows_of(found.counted)
    review = find_open_review(case) or case.reviews.order_by("-pk").first()
    deltas = find_deltas(case, rows, found.white_count, list_previous(case))
    return c.ReportContent(
        schema_version=c.SCHEMA_VERSION,
        version=1,
        status=coded(ReportStatus.FINAL),
        laboratory=_letterhead(Laboratory.current()),
        patient=_patient(case, counted.age_years),
        request=_request(case),
        specimen=_specimen(case),
        differential=rows,
        white_count=found.white_count,
        nucleated_red_cells=found.red_cells,
        other_cells=_other_cells(counted),
        interpretation=review.comment if review else "",
        reading=found.reading,
        pictures=shown,
        method=wording.method_of(found.reading, found.fields),
        limits=_limits(found),
        amendment=None,
        signature=None,
        fields=found.fields,
        morphology=found.morphology,
        deltas=standing(case, deltas),
        consultations=_consultations(case),
        critical=found.critical,
        layout=describe_layout(),
        analyser_results=found.analyser,
    )


@dataclass(frozen=True, slots=True)
class _Findings:
    """What was counted, read and graded in a case, as a report states it."""

    counted: counts.Differential
    reading: c.Reading
    white_count: c.WhiteCount | None
    red_cells: c.NucleatedRedCells
    fields: c.FieldCounts | None
    morphology: tuple[c.MorphologyLine, ...]
    critical: c.CriticalResults | None
    analyser: tuple[c.AnalyserResult, ...]


def _find(case: Case) -> _Findings:
    marks = counts.list_marks(case)
    counted = counts.count_cells(case, marks)
    summary = summarise_fields(case, list_cells(case))
    critical = describe_critical(case, counted, summary)
    return _Findings(
        counted=counted,
        reading=_reading(case, counted, marks),
        white_count=white_count_of(counted),
        red_cells=c.NucleatedRedCells(counted.erythroblasts, counted.erythroblasts_per_hundred),
        fields=_fields(case, summary, counted, critical),
        morphology=describe_morphology(case),
        critical=critical,
        analyser=describe_analyser(counted, critical),
    )


def _other_cells(counted: counts.Differential) -> tuple[c.OtherCells, ...]:
    return tuple(
        c.OtherCells(coded(aside.cell_type), aside.count) for aside in counted.asides if aside.count
    )


def _limits(found: _Findings) -> tuple[str, ...]:
    return wording.limits_of(
        found.reading,
        found.white_count,
        found.red_cells,
        found.counted.reference_note,
        found.fields,
        found.morphology,
        found.analyser,
    )


def flagged_deltas(case: Case) -> tuple[c.Delta, ...]:
    """Return the changes against the last result that are flagged now, dismissed or not."""
    counted = counts.get_differential(case)
    return find_deltas(case, rows_of(counted), white_count_of(counted), list_previous(case))


def standing(case: Case, deltas: Sequence[c.Delta]) -> tuple[c.Delta, ...]:
    """Return the deltas that nobody dismissed: those that the report prints."""
    if not deltas:
        return ()
    dismissed = dismissals_of(case)
    return tuple(delta for delta in deltas if key_of(delta) not in dismissed)


def dismissals_of(case: Case) -> dict[tuple[str, str, Decimal], DeltaDismissal]:
    """Return the case's dismissals by analyte, previous report and value."""
    found = DeltaDismissal.objects.filter(case=case).select_related("dismissed_by")
    return {(item.analyte, str(item.previous_id), item.value): item for item in found}


def key_of(delta: c.Delta) -> tuple[str, str, Decimal]:
    """Return what a dismissal of the delta names."""
    return delta.analyte.code, delta.previous_report_id, delta.value


def _letterhead(laboratory: Laboratory) -> c.Letterhead:
    return c.Letterhead(
        name=laboratory.name,
        address=laboratory.address,
        phone=laboratory.phone,
        director=laboratory.director,
        accreditation=laboratory.accreditation,
        is_demo=laboratory.is_demo,
        clia=laboratory.clia_number,
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
        sex=coded(Sex(patient.sex)),
        age_years=age_years,
    )


def _request(case: Case) -> c.RequestDetails:
    return c.RequestDetails(
        case_id=str(case.pk),
        accession_number=case.accession_number,
        priority=coded(Priority(case.priority)),
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


def rows_of(counted: counts.Differential) -> tuple[c.DifferentialRow, ...]:
    """Return the rows of a differential as a report states them."""
    return tuple(_row(row) for row in counted.rows)


def _row(row: counts.Row) -> c.DifferentialRow:
    return c.DifferentialRow(
        cell_type=coded(row.cell_type),
        count=row.count,
        percent=row.percent,
        ci_low=row.interval.low if row.interval else None,
        ci_high=row.interval.high if row.interval else None,
        absolute=row.absolute,
        reference=describe_reference(row.reference),
        flag=flag(row.flag),
        naming_low=row.naming_interval.low if row.naming_interval else None,
        naming_high=row.naming_interval.high if row.naming_interval else None,
    )


def white_count_of(counted: counts.Differential) -> c.WhiteCount | None:
    """Return the leukocyte count as a report states it, by the analyser's name if it sent it."""
    if counted.wbc_count is None:
        return None
    return c.WhiteCount(
        counted.wbc_count,
        counted.wbc_measured_at,
        counted.wbc_source or c.UNNAMED_ANALYSER,
        counted.wbc_corrected,
        flag(counted.wbc_flag),
        describe_reference(counted.wbc_reference),
    )


def _fields(
    case: Case,
    summary: FieldsSummary | None,
    counted: counts.Differential,
    critical: c.CriticalResults | None,
) -> c.FieldCounts | None:
    if summary is None:
        return None
    platelets = summary.estimate.value
    is_judged = platelets is not None and counted.platelets is None
    reference = counted.platelet_reference if is_judged else None
    raised = platelets_flag(critical) or flag(flag_of(platelets, reference))
    return c.FieldCounts(
        fields=len(summary.fields),
        erythrocytes_per_field=summary.erythrocytes_per_field,
        platelets_per_field=summary.platelets_per_field,
        platelets=platelets,
        factor=_without_zeros(summary.estimate.factor),
        withheld=summary.estimate.withheld,
        cut_by_edge=sum(field.at_edge for field in summary.fields),
        seen_twice=sum(field.repeats for field in summary.fields),
        detectors=_detectors(case),
        platelets_flag=raised if is_judged else None,
        platelets_reference=describe_reference(reference),
    )


def _consultations(case: Case) -> tuple[c.Consultation, ...]:
    """Name who gave an opinion, in the order of the first answers."""
    return tuple(
        c.Consultation(
            name=opinions[0].author_name,
            is_outside=referral.is_outside,
            asked_at=referral.created_at,
            answered_at=opinions[0].given_at,
            opinions=tuple(
                c.PrintedOpinion(each.text, each.diagnosis, each.given_at) for each in opinions
            )
            if referral.prints_opinion
            else (),
        )
        for referral in list_answered(case)
        for opinions in [referral.opinions.all()]
    )


def _without_zeros(value: Decimal | None) -> Decimal | None:
    """Return 15 for 15.00, as the laboratory typed it."""
    return None if value is None else Decimal(format(value.normalize(), "f"))


def _detectors(case: Case) -> tuple[c.Software, ...]:
    scans = FieldScan.objects.filter(image__case=case).order_by("detector_name", "detector_version")
    found = scans.values_list("detector_name", "detector_version", "detector_sha256").distinct()
    return tuple(c.Software(*each) for each in found)


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
        unconfirmed=counted.unconfirmed if counted.carries_confusion else 0,
    )
