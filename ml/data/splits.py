"""Split records by group, so that no cell is both learned and examined."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from ml.data.records import Record
from ml.errors import DatasetError

FOLDS: Final[tuple[str, ...]] = ("train", "validation", "test")
SHARES: Final[Mapping[str, float]] = {"train": 0.70, "validation": 0.15, "test": 0.15}


def split_by_group(
    records: Sequence[Record], *, seed: int, shares: Mapping[str, float] = SHARES
) -> dict[str, list[Record]]:
    """Deal whole groups into train, validation and test, in proportion per class.

    `shares` sum to 1. A group with several classes counts as its commonest.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.group].append(record)
    folds: dict[str, list[Record]] = {name: [] for name in FOLDS}
    for label in sorted({record.label for record in records}):
        names = sorted(name for name, members in groups.items() if _majority(members) == label)
        order = np.random.default_rng([seed, *label.encode()]).permutation(len(names))
        wanted = sum(len(groups[name]) for name in names)
        _deal([groups[names[index]] for index in order], folds, wanted, shares)
    check_no_leak(folds)
    return folds


def folds_by_group(records: Sequence[Record], k: int, seed: int) -> list[list[Record]]:
    """Deal whole groups into `k` folds, each class spread evenly; a fold may be empty of a class.

    Large groups first, each into the fold with fewest cells of the group's commonest class.
    """
    if k < 2:
        raise DatasetError(f"Cross-validation needs at least 2 folds, not {k}.")
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.group].append(record)
    names = sorted(groups)
    shuffled = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    folds: list[list[Record]] = [[] for _ in range(k)]
    counts: list[Counter[str]] = [Counter() for _ in range(k)]
    for name in sorted(shuffled, key=lambda each: -len(groups[each])):
        label = _majority(groups[name])
        fold = min(range(k), key=lambda each: (counts[each][label], len(folds[each])))
        folds[fold].extend(groups[name])
        counts[fold].update(record.label for record in groups[name])
    return folds


def _majority(members: Iterable[Record]) -> str:
    counts = Counter(record.label for record in members)
    return min(counts, key=lambda label: (-counts[label], label))


def _deal(
    groups: Iterable[list[Record]],
    folds: dict[str, list[Record]],
    wanted: int,
    shares: Mapping[str, float],
) -> None:
    """Fill test, then validation, then train, group by group."""
    limits = {name: shares[name] * wanted for name in ("test", "validation")}
    dealt = dict.fromkeys(limits, 0)
    for group in groups:
        fold = next((name for name in limits if dealt[name] < round(limits[name])), "train")
        folds[fold].extend(group)
        if fold in dealt:
            dealt[fold] += len(group)


def check_no_leak(folds: Mapping[str, Sequence[Record]]) -> None:
    """Refuse a split in which one group lies in two folds."""
    home: dict[str, str] = {}
    for name, records in folds.items():
        for record in records:
            if home.setdefault(record.group, name) != name:
                raise DatasetError(
                    f"Group {record.group} lies in both {home[record.group]} and {name}."
                )
