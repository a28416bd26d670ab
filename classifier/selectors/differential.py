"""The differential count of a case: what the findings say, and how sure and how normal that is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from classifier import counting
from classifier import misclassification as naming
from classifier.critical import CriticalFinding
from classifier.enums import LEUKOCYTES, WHITE_COUNT, Analyte, CaseStatus, CellType, Quantity
from classifier.findings import Mark
from classifier.models import AnalyserResult, Case, Cell, Laboratory
from classifier.selectors.analyser import current_results, list_results
from classifier.selectors.critical_limits import with_critical_findings
from classifier.selectors.naming import count_unconfirmed, gather_evidence
from classifier.selectors.references import (
    Age,
    Flag,
    Interval,
    Reference,
    References,
    age_at_collection,
    choose_references,
    flag_of,
    note_of,
)

# Listed apart: counted, but never part of the denominator.
APART = (
    CellType.PLATELET,
    CellType.ERYTHROCYTE,
    CellType.SMUDGE_CELL,
    CellType.ARTEFACT,
    CellType.UNIDENTIFIED,
)

# Always on the table, even when none was seen; the other leukocytes only when present.
USUAL_LEUKOCYTES = (
    CellType.NEUTROPHIL,
    CellType.LYMPHOCYTE,
    CellType.MONOCYTE,
    CellType.EOSINOPHIL,
    CellType.BASOPHIL,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One class of leukocytes; percent, its 95 % interval and absolute are None without cells.

    `interval` covers chance in counting. `naming_interval` carries the classifier's confusion as
    well; None where it is the same, or where nothing is known of the confusion.
    """

    cell_type: CellType
    count: int
    percent: Decimal | None
    interval: Interval | None
    naming_interval: Interval | None
    absolute: Decimal | None
    reference: Reference | None
    flag: Flag

    @property
    def widest(self) -> Interval | None:
        """From the lowest to the highest limit of both intervals."""
        if self.interval is None or self.naming_interval is None:
            return self.interval
        return Interval(
            min(self.interval.low, self.naming_interval.low),
            max(self.interval.high, self.naming_interval.high),
        )


@dataclass(frozen=True, slots=True)
class Aside:
    """Cells counted outside the denominator."""

    cell_type: CellType
    count: int


@dataclass(frozen=True, slots=True)
class Differential:
    """The count of a case as it stands; `is_confirmed` once a pathologist has signed it."""

    rows: tuple[Row, ...]
    leukocytes: int
    target: int
    erythroblasts: int
    erythroblasts_per_hundred: Decimal | None
    asides: tuple[Aside, ...]
    cells: int
    unresolved: int
    human_marked: int
    human_changed: int
    unconfirmed: int
    naming_note: str
    wbc_count: Decimal | None
    wbc_corrected: Decimal | None
    wbc_measured_at: datetime | None
    age_years: int
    age: str
    reference_note: str
    is_confirmed: bool
    critical: tuple[CriticalFinding, ...] = ()
    wbc_flag: Flag = ""
    wbc_reference: Reference | None = None
    platelet_reference: Reference | None = None
    analyser: tuple[AnalyserResult, ...] = ()
    """The analyser's values in use, in the order of `Analyte`."""

    @property
    def platelets(self) -> AnalyserResult | None:
        """The analyser's platelets, which are judged in the place of an estimate."""
        return next((item for item in self.analyser if item.analyte == Analyte.PLATELETS), None)

    @property
    def wbc_source(self) -> str:
        """The analyser that the white count came from; empty where it was typed in."""
        white = next((item for item in self.analyser if item.analyte == Analyte.LEUKOCYTES), None)
        if white is None or white.measured_at != self.wbc_measured_at:
            return ""
        return white.source if white.value == self.wbc_count else ""

    @property
    def wbc(self) -> Decimal | None:
        """The white count that absolute counts rest on, 10⁹/L."""
        return self.wbc_count if self.wbc_corrected is None else self.wbc_corrected

    @property
    def carries_confusion(self) -> bool:
        """True if an interval is shown that carries the classifier's confusion."""
        return any(row.naming_interval for row in self.rows)

    @property
    def is_below_target(self) -> bool:
        """True while fewer leukocytes were counted than the laboratory aims for."""
        return self.leukocytes < self.target

    @property
    def has_unapproved_reference(self) -> bool:
        """True if an interval shown was not approved by a named person."""
        shown = [row.reference for row in self.rows]
        if self.wbc is not None:
            shown.append(self.wbc_reference)
        return any(reference and not reference.is_approved for reference in shown)


def get_differential(case: Case) -> Differential:
    """Count the case as it is now stored."""
    return count_cells(case, list_marks(case))


def list_marks(case: Case) -> list[Mark]:
    """Return machine's and human's word on every cell of the case that counts."""
    cells = Cell.objects.filter(image__case=case).for_review().counted().order_by()
    columns = ("machine_type", "machine_referred", "human_type")
    return [Mark(machine or "", *rest) for machine, *rest in cells.values_list(*columns)]


def count_cells(
    case: Case, marks: Sequence[Mark], *, with_naming_errors: bool = True
) -> Differential:
    """Return the differential of the case with these marks.

    Only leukocytes are in the denominator; erythroblasts are given per 100 of them, platelets,
    smudge cells, artefacts and unidentified cells apart. The intervals that carry naming errors
    take a while; who needs none leaves them out.
    """
    age = age_at_collection(case)
    laboratory = Laboratory.current()
    references = choose_references(case, age, laboratory)
    carried = _carry_naming(case, marks) if with_naming_errors else _Carried({}, "")
    counted = _count(case, marks, _Standards(laboratory, age, references), carried)
    wbc_reference = references.get((WHITE_COUNT, Quantity.ABSOLUTE))
    judged = replace(
        counted,
        wbc_flag=flag_of(counted.wbc, wbc_reference),
        wbc_reference=wbc_reference,
        platelet_reference=references.get((CellType.PLATELET, Quantity.ABSOLUTE)),
        analyser=_analyser_results(case),
    )
    return with_critical_findings(case, judged, marks, age.is_within)


def _analyser_results(case: Case) -> tuple[AnalyserResult, ...]:
    in_use = current_results(list_results(case))
    return tuple(in_use[name] for name in Analyte.values if name in in_use)


@dataclass(frozen=True, slots=True)
class _Standards:
    """What the laboratory holds a count of a patient of this age against."""

    laboratory: Laboratory
    age: Age
    references: References


@dataclass(frozen=True, slots=True)
class _Carried:
    """The intervals that carry the classifier's confusion, or none and the reason."""

    intervals: Mapping[str, Interval]
    note: str


def _count(
    case: Case, marks: Sequence[Mark], standards: _Standards, carried: _Carried
) -> Differential:
    counts = Counter(mark.finding for mark in marks)
    leukocytes = sum(counts[name] for name in LEUKOCYTES)
    erythroblasts = counts[CellType.ERYTHROBLAST]
    limit = standards.laboratory.erythroblast_limit
    corrected = _corrected_wbc(case, erythroblasts, leukocytes, limit)
    wbc = case.wbc_count if corrected is None else corrected
    return Differential(
        rows=_rows(wbc, counts, standards.references, carried.intervals),
        leukocytes=leukocytes,
        target=standards.laboratory.cell_target,
        erythroblasts=erythroblasts,
        erythroblasts_per_hundred=_per_hundred(erythroblasts, leukocytes),
        asides=tuple(Aside(name, counts[name]) for name in APART),
        cells=len(marks),
        unresolved=sum(mark.is_unresolved for mark in marks),
        human_marked=sum(bool(mark.human_type) for mark in marks),
        human_changed=sum(mark.is_changed for mark in marks),
        unconfirmed=count_unconfirmed(marks),
        naming_note=carried.note,
        wbc_count=case.wbc_count,
        wbc_corrected=corrected,
        wbc_measured_at=case.wbc_measured_at,
        age_years=standards.age.years,
        age=standards.age.words,
        reference_note=note_of(standards.references),
        is_confirmed=case.status == CaseStatus.SIGNED_OFF,
    )


def _carry_naming(case: Case, marks: Sequence[Mark]) -> _Carried:
    """Nothing is carried where no cell rests on the machine alone."""
    if not count_unconfirmed(marks):
        return _Carried({}, "")
    evidence = gather_evidence(case, marks)
    if isinstance(evidence, str):
        return _Carried({}, evidence)
    found = naming.intervals(evidence, LEUKOCYTES)
    return _Carried({name: _in_percent(*limits) for name, limits in found.items()}, "")


def _per_hundred(erythroblasts: int, leukocytes: int) -> Decimal | None:
    return counting.per_hundred(erythroblasts, leukocytes) if leukocytes else None


def _in_percent(low: float, high: float) -> Interval:
    return Interval(counting.as_percent(low), counting.as_percent(high))


def _corrected_wbc(case: Case, erythroblasts: int, leukocytes: int, limit: int) -> Decimal | None:
    """Return the analyser's count without nucleated red cells, if it holds enough to matter."""
    if case.wbc_count is None or case.wbc_excludes_erythroblasts or not leukocytes:
        return None
    if 100 * erythroblasts <= limit * leukocytes:
        return None
    return counting.corrected_for_erythroblasts(case.wbc_count, erythroblasts, leukocytes)


def _rows(
    wbc: Decimal | None,
    counts: Mapping[str, int],
    references: References,
    carrying: Mapping[str, Interval],
) -> tuple[Row, ...]:
    shown = [name for name in LEUKOCYTES if counts[name] or name in USUAL_LEUKOCYTES]
    total = sum(counts[name] for name in shown)
    percents = counting.apportion_percent([counts[name] for name in shown])
    return tuple(
        _row(name, counts[name], total, percent, wbc, references, carrying.get(name))
        for name, percent in zip(shown, percents, strict=True)
    )


def _row(
    name: CellType,
    count: int,
    total: int,
    percent: Decimal,
    wbc: Decimal | None,
    references: References,
    carrying: Interval | None,
) -> Row:
    """Hold the absolute value against its interval first, the percentage where there is no WBC."""
    quantity = Quantity.PERCENT if wbc is None else Quantity.ABSOLUTE
    reference = references.get((name, quantity))
    if not total:
        return Row(name, count, None, None, None, None, reference, "")
    absolute = None if wbc is None else counting.absolute_count(wbc, count, total)
    interval = _in_percent(*counting.clopper_pearson(count, total))
    value = percent if absolute is None else absolute
    return Row(
        cell_type=name,
        count=count,
        percent=percent,
        interval=interval,
        naming_interval=None if carrying == interval else carrying,
        absolute=absolute,
        reference=reference,
        flag=flag_of(value, reference),
    )
