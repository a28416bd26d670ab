"""The result of a reference count: both readers, their agreement, and the machine beside them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from classifier import agreement, policies
from classifier.enums import LEUKOCYTES, CellType, ReadingSeat, StudyStatus
from classifier.models import Cell, ModelVersion, ReferenceReading, ReferenceStudy
from classifier.selectors.class_keys import CLASS_KEYS
from classifier.selectors.reference_counts import blind_marks, marks_of

if TYPE_CHECKING:
    from accounts.models import User

REFERRED = "referred"
UNREAD = "unread"
_LEUKOCYTES = frozenset(str(name) for name in LEUKOCYTES)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cell: what each reader and the machine called it; "" where nobody judged.

    `reference` is what both readers said, else the arbiter.
    """

    position: int
    first: str
    second: str
    arbiter: str
    machine: str

    @property
    def is_disputed(self) -> bool:
        """True if the two readers differ."""
        return self.first != self.second

    @property
    def reference(self) -> str:
        """The class that holds; empty while an arbiter is awaited."""
        return self.arbiter if self.is_disputed else self.first


@dataclass(frozen=True, slots=True)
class CountRow:
    """One leukocyte class: both counts, percents of each reader's leukocytes, their mean.

    `error` is sqrt(pq/n) over the marks of both readers, `limits` the mean ± 1.96 of it, and
    `limits_of_one` those of a single count as large as one reader's.
    """

    cell_type: str
    first: int
    second: int
    first_percent: float
    second_percent: float
    mean: float
    error: float
    limits: tuple[float, float]
    limits_of_one: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Counts:
    """The differential of two readers; what is no leukocyte stands apart."""

    rows: tuple[CountRow, ...]
    first: int
    second: int
    apart: tuple[tuple[str, int, int], ...]

    @property
    def both(self) -> int:
        """The leukocytes of both readers together."""
        return self.first + self.second


@dataclass(frozen=True, slots=True)
class Table:
    """How often one called a cell this and the other that; with agreement and kappa."""

    classes: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    percent: agreement.Estimate | None
    kappa: agreement.Kappa | None

    @property
    def lines(self) -> list[tuple[str, list[tuple[int, bool]]]]:
        """Rows with their cells; True on the diagonal, where both say the same."""
        return [
            (name, [(count, row == column) for column, count in enumerate(self.matrix[row])])
            for row, name in enumerate(self.classes)
        ]


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One class of the reference, and how the machine names it."""

    cell_type: str
    reference: int
    machine: int
    found: agreement.Detection


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine held against the reference of the cells that have one."""

    models: tuple[str, ...]
    rows: tuple[MachineRow, ...]
    table: Table
    line: agreement.Line | None
    referred: int
    cells: int


@dataclass(frozen=True, slots=True)
class Result:
    """All that a reference count says; `machine` only once the reference is complete."""

    readings: tuple[ReferenceReading, ...]
    verdicts: tuple[Verdict, ...]
    counts: Counts
    readers: Table
    machine: Machine | None

    @property
    def disputed(self) -> tuple[Verdict, ...]:
        """The cells on which the readers differ."""
        return tuple(verdict for verdict in self.verdicts if verdict.is_disputed)


def may_see_result(user: "User", study: ReferenceStudy) -> bool:
    """Nobody before both are done; until arbitration is, only who can't become the arbiter."""
    if study.status == StudyStatus.COMPLETE:
        return True
    if study.status != StudyStatus.ARBITRATION:
        return False
    own = study.readings.filter(reader=user).first()
    if own is not None:
        return own.completed_at is not None
    return not policies.can_read_reference_count(user, study.case)


def get_result(study: ReferenceStudy) -> Result | None:
    """Return the result as far as it is known; None before both blind readers are done."""
    both = blind_marks(study)
    if both is None:
        return None
    verdicts = _verdicts(study, *both)
    pairs = [(each.first, each.second) for each in verdicts]
    is_complete = study.status == StudyStatus.COMPLETE
    readings = study.readings.standing().filter(completed_at__isnull=False)
    return Result(
        readings=tuple(readings.select_related("reader")),
        verdicts=verdicts,
        counts=count_readers([one for one, _ in pairs], [two for _, two in pairs]),
        readers=tabulate(pairs),
        machine=_machine(study, verdicts) if is_complete else None,
    )


def count_readers(first: Sequence[str], second: Sequence[str]) -> Counts:
    """Return both readers' differentials and their mean, leukocytes alone in the denominator."""
    one, two = Counter(first), Counter(second)
    ones, twos = (sum(count[name] for name in _LEUKOCYTES) for count in (one, two))
    seen = [name for name in _in_order(one, two) if name in _LEUKOCYTES]
    apart = [name for name in _in_order(one, two) if name not in _LEUKOCYTES]
    return Counts(
        rows=tuple(_count_row(name, (one[name], ones), (two[name], twos)) for name in seen)
        if ones and twos
        else (),
        first=ones,
        second=twos,
        apart=tuple((name, one[name], two[name]) for name in apart),
    )


def tabulate(pairs: Sequence[tuple[str, str]]) -> Table:
    """Return the confusion between two, over the classes that either used."""
    classes = tuple(_in_order(Counter(one for one, _ in pairs), Counter(two for _, two in pairs)))
    matrix = agreement.confusion(pairs, classes)
    return Table(
        classes,
        tuple(map(tuple, matrix)),
        agreement.percent_agreement(matrix),
        agreement.cohen_kappa(matrix),
    )


def label_of(name: str) -> str:
    """Return a class, or the machine's doubt, for a reader."""
    if name in CellType.values:
        return str(CellType(name).label)
    return {REFERRED: "Referred", UNREAD: "Not read"}.get(name, name)


def _count_row(name: str, first: tuple[int, int], second: tuple[int, int]) -> CountRow:
    """Both are (cells of the class, all leukocytes)."""
    shares = [100 * count / total for count, total in (first, second)]
    mean, total = sum(shares) / 2, first[1] + second[1]
    return CountRow(
        cell_type=name,
        first=first[0],
        second=second[0],
        first_percent=shares[0],
        second_percent=shares[1],
        mean=mean,
        error=agreement.standard_error(mean, total),
        limits=agreement.reference_limits(mean, total),
        limits_of_one=agreement.reference_limits(mean, min(first[1], second[1])),
    )


def _verdicts(
    study: ReferenceStudy, first: dict[int, str], second: dict[int, str]
) -> tuple[Verdict, ...]:
    arbiter = study.readings.filter(seat=ReadingSeat.ARBITER, completed_at__isnull=False).first()
    judged = marks_of(arbiter) if arbiter else {}
    machine = _machine_words(study)
    return tuple(
        Verdict(position, name, second[position], judged.get(position, ""), machine[position])
        for position, name in sorted(first.items())
    )


def _machine_words(study: ReferenceStudy) -> dict[int, str]:
    """Return the class that the machine last read, or that it referred or never read the cell."""
    position = dict(study.cells.values_list("cell_id", "position"))
    found: Any = Cell.objects.filter(pk__in=position).with_findings()
    rows = found.values_list("pk", "machine_type", "machine_referred")
    return {
        position[pk]: REFERRED if name and is_referred else name or UNREAD
        for pk, name, is_referred in rows
    }


def _machine(study: ReferenceStudy, verdicts: Sequence[Verdict]) -> Machine:
    pairs = [(each.reference, each.machine) for each in verdicts]
    reference = Counter(one for one, _ in pairs)
    said = Counter(two for _, two in pairs)
    classes = [name for name in _in_order(reference, said) if name in CellType.values]
    models = ModelVersion.objects.filter(
        runs__predictions__cell__in=study.cells.values("cell")
    ).distinct()
    return Machine(
        models=tuple(f"{model.name} {model.version}" for model in models.order_by("pk")),
        rows=tuple(
            MachineRow(name, reference[name], said[name], agreement.detection(pairs, name))
            for name in classes
        ),
        table=tabulate(pairs),
        line=_line(verdicts, said),
        referred=said[REFERRED] + said[UNREAD],
        cells=len(pairs),
    )


def _line(verdicts: Sequence[Verdict], said: Counter[str]) -> agreement.Line | None:
    """The machine's percent against the readers' mean, over the leukocyte classes of either."""
    counts = count_readers([each.first for each in verdicts], [each.second for each in verdicts])
    total = sum(said[name] for name in _LEUKOCYTES)
    if not counts.rows or not total:
        return None
    means = {row.cell_type: row.mean for row in counts.rows}
    classes = [str(name) for name in LEUKOCYTES if name in means or said[name]]
    return agreement.deming([(means.get(name, 0.0), 100 * said[name] / total) for name in classes])


def _in_order(*counts: Counter[str]) -> list[str]:
    """The classes that occur, in the order of the keys, the machine's doubts last."""
    seen = {name for count in counts for name, number in count.items() if number}
    order = [*(str(item.cell_type) for item in CLASS_KEYS), REFERRED, UNREAD]
    return [name for name in order if name in seen]
