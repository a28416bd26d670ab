"""The agreement board: how far readers agree with each other and with the machine."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Final

import numpy as np

from accounts.models import User
from classifier.selectors.class_keys import CLASS_KEYS
from quality import policies
from quality.agreement import (
    LEAST_CELLS,
    Figure,
    Reals,
    alpha,
    figure_of,
    kappa,
    observed,
    positive,
)
from quality.enums import Basis
from quality.periods import Period
from quality.selectors.words import MACHINE, TRUTH, Words, words_of

EVERYBODY: Final = -2
"""All readers, or all other readers, as one."""
STANDARDS: Final = {MACHINE: "the machine", TRUTH: "the agreed class"}
"""What readers are held against that is no reader."""
MANY: Final = 3
"""Readers from which one figure over all of them says more than that of their pair."""
_ORDER: Final = tuple(str(item.cell_type) for item in CLASS_KEYS)

_Row = tuple[Hashable, str, str, float]
"""A case, what the first and the second called a cell of it, and what that counts."""


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """One class of a pair: how many cells each called so, both, and their positive agreement."""

    name: str
    first: int
    second: int
    both: int
    agreement: Figure | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two readers of the same cells; `tables` are float[cases, K, K] over `classes`."""

    key: str
    first: str
    second: str
    classes: tuple[str, ...]
    tables: Reals

    @property
    def cells(self) -> int:
        """How many cells both named."""
        return int(self.tables.sum())

    @property
    def cases(self) -> int:
        """Of how many cases they are."""
        return len(self.tables)

    @property
    def is_enough(self) -> bool:
        """Whether there are enough cells to say anything."""
        return self.cells >= LEAST_CELLS

    @property
    def kappa(self) -> Figure | None:
        """Cohen's kappa."""
        return figure_of(kappa, self.tables, floor=-1.0) if self.is_enough else None

    @property
    def observed(self) -> Figure | None:
        """The share of cells with the same class."""
        return figure_of(observed, self.tables) if self.is_enough else None

    @property
    def caption(self) -> str:
        """What rows and columns of the confusion are."""
        return f"Rows: {self.first}. Columns: {self.second}."

    @property
    def matrix(self) -> list[list[int]]:
        """How often the first said this (rows) and the second that (columns)."""
        counts: list[list[int]] = self.tables.sum(0).astype(int).tolist()
        return counts

    @property
    def lines(self) -> list[tuple[str, list[tuple[int, bool]]]]:
        """Rows of the confusion with their cells; True where both say the same."""
        return [
            (name, [(count, row == column) for column, count in enumerate(self.matrix[row])])
            for row, name in enumerate(self.classes)
        ]

    def by_class(self) -> list[ClassAgreement]:
        """Return how far they agree on each class that either used."""
        counts = self.tables.sum(0)
        return [
            ClassAgreement(
                name, int(counts[place].sum()), int(counts[:, place].sum()),
                int(counts[place, place]),
                figure_of(positive(place), self.tables) if self.is_enough else None,
            )
            for place, name in enumerate(self.classes)
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Together:
    """All readers of a basis: Krippendorff's alpha over the cells that two or more named."""

    readers: int
    cells: int
    cases: int
    alpha: Figure | None


@dataclass(frozen=True, slots=True)
class Board:
    """What the page shows of one basis; pairs with the most cells first."""

    basis: Basis
    pairs: list[Pair]
    together: Together | None
    chosen: Pair | None
    names_readers: bool


def board(user: User, *, basis: Basis, period: Period, pair: str = "") -> Board:
    """Return how far readers agreed in the period.

    Who may not see whose figures are whose gets the own pairs, all others being one reader.
    """
    words = words_of(basis, period)
    names_readers = policies.can_see_readers(user)
    pairs = _pairs(_as_seen(words, user, names_readers=names_readers), user)
    chosen = next((each for each in pairs if each.key == pair), pairs[0] if pairs else None)
    return Board(basis, pairs, _together(words), chosen, names_readers)


def _as_seen(words: Iterable[Words], user: User, *, names_readers: bool) -> Iterator[Words]:
    """Give each two names of a cell as the user may see them, a reader before what is none.

    Beside the machine, or the agreed class, stand all readers together as well.
    """
    for each in words:
        for one, other in combinations(each.names, 2):
            if other[0] in STANDARDS:
                yield replace(each, names=((EVERYBODY, one[1]), other))
            if names_readers:
                yield replace(each, names=(one, other))
            elif user.pk in (one[0], other[0]):
                own, another = (one, other) if one[0] == user.pk else (other, one)
                reader = another[0] if another[0] in STANDARDS else EVERYBODY
                yield replace(each, names=(own, (reader, another[1])))


def _pairs(words: Iterable[Words], user: User) -> list[Pair]:
    by_pair: defaultdict[tuple[int, int], list[_Row]] = defaultdict(list)
    for each in words:
        (one, first), (other, second) = each.names
        if (other, one) in by_pair:
            by_pair[other, one].append((each.case, second, first, each.cells))
        else:
            by_pair[one, other].append((each.case, first, second, each.cells))
    titles = _titles({reader for key in by_pair for reader in key}, user)
    found = [
        Pair(f"{one}:{other}", titles[one], titles[other], *_tables(rows))
        for (one, other), rows in by_pair.items()
    ]
    return sorted(found, key=lambda each: (-each.cells, each.first, each.second))


def _tables(rows: Sequence[_Row]) -> tuple[tuple[str, ...], Reals]:
    """Return the classes that either used, and what the rows add up to, float[cases, K, K]."""
    used = {name for _, first, second, _ in rows for name in (first, second)}
    classes = tuple(name for name in _ORDER if name in used)
    place = {name: number for number, name in enumerate(classes)}
    cases = {case: number for number, case in enumerate(dict.fromkeys(row[0] for row in rows))}
    tables = np.zeros((len(cases), len(classes), len(classes)))
    for case, first, second, weight in rows:
        tables[cases[case], place[first], place[second]] += weight
    return classes, tables


def _together(words: Sequence[Words]) -> Together | None:
    """Return alpha over all readers; None below three, whose pair says it all, or of no readers."""
    readers = {reader for each in words for reader, _ in each.names}
    if readers & STANDARDS.keys() or len(readers) < MANY:
        return None
    _, tables = _tables(
        [
            (each.case, first, second, 1 / (len(each.names) - 1))
            for each in words
            for (_, first), (_, second) in permutations(each.names, 2)
        ]
    )
    is_enough = len(words) >= LEAST_CELLS
    found = figure_of(alpha, tables, floor=-1.0) if is_enough else None
    return Together(len(readers), len(words), len(tables), found)


def _titles(readers: Collection[int], user: User) -> dict[int, str]:
    names = dict(User.objects.filter(pk__in=readers).values_list("pk", "full_name"))
    if not policies.can_see_readers(user):
        names[user.pk] = "You"
    everybody = "All readers" if STANDARDS.keys() & set(readers) else "others"
    return names | STANDARDS | {EVERYBODY: everybody}
