"""The counts: differential, what stands beside it, and how far it lies from the last one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reports.content.reading import Software
from reports.content.request import Coded


@dataclass(frozen=True, slots=True)
class Reference:
    """The interval that judges a row: of its absolute count (10⁹/L) if known, else of its percent.

    `is_approved` tells whether a named person has approved it for this laboratory.
    """

    quantity: Coded
    unit: str
    low: Decimal
    high: Decimal
    version: int
    source: str
    is_approved: bool


@dataclass(frozen=True, slots=True)
class DifferentialRow:
    """One leukocyte class; percent, its 95 % interval and absolute (10⁹/L) None if unknown.

    The interval covers chance in counting; `naming_low` and `naming_high` bound the one that
    carries the classifier's confusion as well, if it is another.
    """

    cell_type: Coded
    count: int
    percent: Decimal | None
    ci_low: Decimal | None
    ci_high: Decimal | None
    absolute: Decimal | None
    reference: Reference | None
    flag: Coded | None
    naming_low: Decimal | None = None
    naming_high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A change against the patient's last result beyond chance and the laboratory's limit.

    Of a class it is the share of leukocytes in percent, of "wbc" the white count in 10⁹/L, which
    has no interval. The change is in percent of the previous value, None if that was 0.
    """

    analyte: Coded
    unit: str
    value: Decimal
    low: Decimal | None
    high: Decimal | None
    previous: Decimal
    previous_low: Decimal | None
    previous_high: Decimal | None
    change_percent: Decimal | None
    previous_report_id: str
    previous_accession: str
    previous_collected_at: datetime
    limit_percent: Decimal
    window_hours: int
    limit_version: int
    is_approved: bool


@dataclass(frozen=True, slots=True)
class OtherCells:
    """Cells seen that don't count as leukocytes."""

    cell_type: Coded
    count: int


@dataclass(frozen=True, slots=True)
class NucleatedRedCells:
    """Erythroblasts seen, and how many there are for each 100 leukocytes."""

    count: int
    per_100_leukocytes: Decimal | None


UNNAMED_ANALYSER = "Haematology analyser"
"""The source of a white count that was typed in; else the analyser is named."""


@dataclass(frozen=True, slots=True)
class AnalyserResult:
    """What an analyser measured beside the white count, as it gave it, in UCUM's ``unit``.

    ``marks`` are the analyser's own flags; ``flag`` and ``reference`` are the laboratory's.
    """

    analyte: Coded
    value: Decimal
    unit: str
    measured_at: datetime
    source: str
    marks: str = ""
    flag: Coded | None = None
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class WhiteCount:
    """The leukocyte count of the analyser, 10⁹/L; reference and flag judge its `basis`."""

    value: Decimal
    measured_at: datetime | None
    source: str
    corrected: Decimal | None = None
    """Without nucleated red cells, if there are many; absolute counts then rest on it."""
    flag: Coded | None = None
    reference: Reference | None = None

    @property
    def basis(self) -> Decimal:
        """What absolute counts rest on."""
        return self.value if self.corrected is None else self.corrected


@dataclass(frozen=True, slots=True)
class FieldCounts:
    """What whole fields showed beside the leukocytes; means have one decimal.

    ``platelets`` is the estimate in 10⁹/L from ``factor``, or None for the reason in ``withheld``.
    """

    fields: int
    erythrocytes_per_field: Decimal
    platelets_per_field: Decimal
    platelets: Decimal | None
    factor: Decimal | None
    withheld: str
    cut_by_edge: int
    seen_twice: int
    detectors: tuple[Software, ...]
    platelets_flag: Coded | None = None
    platelets_reference: Reference | None = None
