"""Reader checks: the rules in force, what is to be read, how readers did."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from classifier.agreement import Estimate, Kappa, cohen_kappa, confusion, proportion
from classifier.selectors.blind_tasks import BlindTask
from classifier.selectors.class_keys import CLASS_KEYS
from quality import policies
from quality.agreement import LEAST_CELLS
from quality.models import CheckAnswer, CheckCell, CheckRules, ReaderCheck
from quality.selectors.known_cells import usable_for

if TYPE_CHECKING:
    from quality.periods import Period

FIRST_CELLS: Final = 20
FIRST_DUE_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Rules:
    """How often checks are dealt (None: never by themselves), their cells, days, and limit."""

    every_days: int | None = None
    cells: int = FIRST_CELLS
    due_days: int = FIRST_DUE_DAYS
    least_percent: int | None = None

    def as_facts(self) -> dict[str, Any]:
        """Return them as the audit trail keeps them."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Named:
    """A cell of a check: what it is, and what the reader called it."""

    check: uuid.UUID
    position: int
    cell_type: str
    answer: str

    @property
    def is_right(self) -> bool:
        """Whether it was named as agreed."""
        return self.cell_type == self.answer


@dataclass(frozen=True, slots=True)
class ByClass:
    """One class of the known cells: how many there were, how many of them were named so."""

    cell_type: str
    sensitivity: Estimate
    taken_for: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Result:
    """How a reader did on the cells of one check or several; those retired since don't count."""

    named: Sequence[Named]

    @property
    def cells(self) -> int:
        """How many cells count."""
        return len(self.named)

    @property
    def right(self) -> int:
        """How many were named as agreed."""
        return sum(each.is_right for each in self.named)

    @property
    def share(self) -> Estimate | None:
        """Named as agreed, with its Clopper-Pearson interval."""
        return proportion(self.right, self.cells)

    @property
    def kappa(self) -> Kappa | None:
        """Cohen's kappa with the agreed class; None of few cells."""
        if self.cells < LEAST_CELLS:
            return None
        pairs = [(each.cell_type, each.answer) for each in self.named]
        classes = sorted({name for pair in pairs for name in pair})
        return cohen_kappa(confusion(pairs, classes))

    @property
    def wrong(self) -> list[Named]:
        """Those named otherwise."""
        return [each for each in self.named if not each.is_right]

    def by_class(self) -> list[ByClass]:
        """Return the sensitivity of each class, in the order of the keys."""
        answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for each in self.named:
            answers[each.cell_type][each.answer] += 1
        found = []
        for name in (str(item.cell_type) for item in CLASS_KEYS):
            if share := proportion(answers[name][name], answers[name].total()):
                others = [pair for pair in answers[name].most_common() if pair[0] != name]
                found.append(ByClass(name, share, others))
        return found


@dataclass(frozen=True, slots=True)
class ReaderState:
    """One reader: the check that is open, when the last was dealt, how those completed went."""

    reader: User
    open: ReaderCheck | None
    dealt: datetime | None
    checks: int
    result: Result

    def is_due(self, every_days: int) -> bool:
        """Whether another check is to be dealt: none is open, and the last is long enough ago."""
        if self.open is not None:
            return False
        return self.dealt is None or self.dealt + timedelta(days=every_days) <= timezone.now()

    @property
    def is_overdue(self) -> bool:
        """Whether the open check should have been completed by now."""
        return self.open is not None and self.open.due_on < timezone.localdate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(BlindTask):
    """What a reader is shown: the cell and the own names, and nothing that says what it is."""

    check: ReaderCheck


def rules_in_force() -> Rules:
    """Return the laboratory's rules; until somebody sets some, no check is dealt by itself."""
    found = CheckRules.objects.first()
    if found is None:
        return Rules()
    return Rules(found.every_days, found.cells, found.due_days, found.least_percent)


def open_checks() -> "QuerySet[ReaderCheck]":
    """Return the checks that somebody is to complete."""
    return ReaderCheck.objects.filter(completed_at=None, withdrawn_at=None)


def cells_to_read(check: ReaderCheck) -> "QuerySet[CheckCell]":
    """Return the cells of a check that may still be shown."""
    return check.cells.filter(known__in=usable_for(check.reader))


def answers_of(check: ReaderCheck) -> dict[int, str]:
    """Return the class that the reader last gave each cell to read, by its position."""
    answers = CheckAnswer.objects.filter(cell__in=cells_to_read(check))
    latest = answers.order_by("cell_id", "-pk").distinct("cell_id")
    return dict(latest.values_list("cell__position", "cell_type"))


def get_own(user: User, check_id: uuid.UUID) -> ReaderCheck:
    """Return a check of the user's own, or one whose result the user may see; else Http404.

    What was withdrawn is nobody's to see. Open ones are their reader's alone.
    """
    found = ReaderCheck.objects.select_related("reader").filter(pk=check_id, withdrawn_at=None)
    check = found.first()
    if check is None:
        raise Http404
    is_own = check.reader_id == user.pk
    if not is_own and (check.is_open or not policies.can_keep_checks(user)):
        raise Http404
    return check


def find_cell(check: ReaderCheck, position: int) -> CheckCell:
    """Return a cell whose picture may be shown; else Http404."""
    found = cells_to_read(check).select_related("known").filter(position=position).first()
    if found is None:
        raise Http404
    return found


def task_of(check: ReaderCheck, wanted: int | None) -> Task:
    """Return the cell to show: the one asked for, else the first without a name, else the last.

    Of a check with cells that may be shown.
    """
    positions = tuple(cells_to_read(check).values_list("position", flat=True))
    answers = answers_of(check)
    if wanted not in positions:
        waiting = (position for position in positions if position not in answers)
        wanted = next(waiting, positions[-1])
    return Task(check=check, positions=positions, position=wanted, marks=answers)


def result_of(check: ReaderCheck) -> Result:
    """Return how the reader did on one check."""
    return Result(_named(CheckCell.objects.filter(check_of=check)))


def shown_positions(check: ReaderCheck) -> frozenset[int]:
    """Return the places of the cells whose picture may still be shown."""
    return frozenset(cells_to_read(check).values_list("position", flat=True))


def history_of(reader: User, period: "Period") -> list[tuple[ReaderCheck, Result]]:
    """Return the checks that a reader completed in the period with their results, latest first."""
    checks = _completed(period).filter(reader=reader)
    results = _by_check(checks)
    return [(check, results[check.pk]) for check in checks.order_by("-completed_at")]


def together(history: Sequence[tuple[ReaderCheck, Result]]) -> Result:
    """Return the results of several checks as one."""
    return Result([each for _, result in history for each in result.named])


def list_readers(period: "Period | None" = None) -> list[ReaderState]:
    """Return everybody who is checked, by name; results are those of the period."""
    readers = list(User.objects.all().holding("review_case").order_by("full_name", "pk"))
    waiting = {check.reader_id: check for check in open_checks()}
    last = ReaderCheck.objects.order_by("reader_id", "-dealt_at").distinct("reader_id")
    dealt = dict(last.values_list("reader_id", "dealt_at"))
    done: defaultdict[int, list[Result]] = defaultdict(list)
    if period is not None:
        checks = _completed(period)
        results = _by_check(checks)
        for check in checks:
            done[check.reader_id].append(results[check.pk])
    return [
        ReaderState(
            reader, waiting.get(reader.pk), dealt.get(reader.pk), len(done[reader.pk]),
            Result([each for result in done[reader.pk] for each in result.named]),
        )
        for reader in readers
    ]  # fmt: skip


def _completed(period: "Period") -> "QuerySet[ReaderCheck]":
    return ReaderCheck.objects.filter(
        completed_at__gte=period.begins_at, completed_at__lt=period.ends_before
    )


def _by_check(checks: "QuerySet[ReaderCheck]") -> Mapping[uuid.UUID, Result]:
    found: defaultdict[uuid.UUID, list[Named]] = defaultdict(list)
    for each in _named(CheckCell.objects.filter(check_of__in=checks)):
        found[each.check].append(each)
    return defaultdict(lambda: Result([]), {key: Result(named) for key, named in found.items()})


def _named(cells: "QuerySet[CheckCell]") -> list[Named]:
    """Return the cells that have a name and were not retired since, in their order."""
    latest = CheckAnswer.objects.filter(cell=OuterRef("pk")).order_by("-pk")
    rows = (
        cells.filter(known__retired_at=None)
        .annotate(answer=Subquery(latest.values("cell_type")[:1]))
        .exclude(answer=None)
        .order_by("check_of_id", "position")
    )
    return [
        Named(*row)
        for row in rows.values_list("check_of_id", "position", "known__cell_type", "answer")
    ]
