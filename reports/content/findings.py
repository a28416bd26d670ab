"""What people found and did beside the count: critical results, grades, opinions."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reports.content.request import Coded


@dataclass(frozen=True, slots=True)
class CriticalResult:
    """A result beyond the laboratory's critical limit, and the version of the limit that judged.

    ``limit`` is None where any cell of the class is critical; ``value`` then counts the cells.
    ``is_known`` tells that an earlier final report said it already.
    """

    analyte: Coded
    side: Coded
    value: Decimal
    unit: str
    limit: Decimal | None
    version: int
    source: str
    is_approved: bool
    is_known: bool


@dataclass(frozen=True, slots=True)
class CriticalCall:
    """One attempt to tell the critical results: what was to be told, by whom, to whom, how."""

    called_at: datetime
    called_by: str
    recipient_name: str
    recipient_role: str
    channel: Coded
    outcome: Coded
    reason: str
    told: str


@dataclass(frozen=True, slots=True)
class CriticalResults:
    """What was critical and who was told."""

    results: tuple[CriticalResult, ...]
    calls: tuple[CriticalCall, ...]


@dataclass(frozen=True, slots=True)
class GradedFeature:
    """How far a feature was found, 0 (looked for, absent) to 3, by which version of its cut-offs.

    ``count`` is in ``unit``, None if none was typed; ``is_overruled`` tells that the grade isn't
    the one that follows from it. ``is_approved`` is that of the cut-offs.
    """

    feature: Coded
    grade: int
    count: Decimal | None
    unit: str
    is_overruled: bool
    comment: str
    version: int
    is_approved: bool

    @property
    def grade_name(self) -> str:
        """The grade as it is written: 0, 1+, 2+, 3+."""
        return f"{self.grade}+" if self.grade else "0"


@dataclass(frozen=True, slots=True)
class MorphologyLine:
    """The morphology of red cells, white cells or platelets: in a sentence and by feature."""

    line: Coded
    loinc: str
    statement: str
    features: tuple[GradedFeature, ...]

    @property
    def found(self) -> tuple[GradedFeature, ...]:
        """The features that were seen."""
        return tuple(item for item in self.features if item.grade)

    @property
    def absent(self) -> tuple[GradedFeature, ...]:
        """The features that were looked for and not found, or not in a number that is graded."""
        return tuple(item for item in self.features if not item.grade)


@dataclass(frozen=True, slots=True)
class PrintedOpinion:
    """The words of an opinion, or of an addendum to it."""

    text: str
    diagnosis: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Consultation:
    """A person whose opinion was asked for and given; ``opinions`` only where the signer prints it.

    It never is the signer's own, nor final.
    """

    name: str
    is_outside: bool
    asked_at: datetime
    answered_at: datetime
    opinions: tuple[PrintedOpinion, ...]
