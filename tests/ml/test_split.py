"""Folds: whole groups, in proportion, the same for the same seed, and never leaking."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.artifacts import RELEASED, read_spec
from ml.classes import CELL_CLASSES
from ml.datasets import (
    Record,
    check_no_leak,
    fingerprint,
    folds_by_group,
    read_pbc,
    split_by_group,
)
from ml.errors import DatasetError
from ml.sources import of_classes, read_source


def record(index: int, label: str, group: str) -> Record:
    return Record(path=Path(f"{index}.png"), label=label, group=group, key=f"{index}.png")


def two_per_group(count: int) -> list[Record]:
    return [record(i, CELL_CLASSES[i // 2 % 3], str(i // 2)) for i in range(count)]


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(st.tuples(st.sampled_from(CELL_CLASSES), st.integers(0, 25)), max_size=120),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_group_is_ever_in_two_folds_and_no_image_is_lost(
    cells: list[tuple[str, int]], seed: int
) -> None:
    records = [record(i, label, str(group)) for i, (label, group) in enumerate(cells)]
    folds = split_by_group(records, seed=seed)
    homes = {(each.group, name) for name, members in folds.items() for each in members}
    assert len(homes) == len({group for group, _ in homes})
    dealt = [each for members in folds.values() for each in members]
    assert sorted(dealt, key=lambda r: r.key) == sorted(records, key=lambda r: r.key)


def test_shares_hold_in_every_class() -> None:
    folds = split_by_group(two_per_group(1200), seed=1)
    for label in CELL_CLASSES[:3]:
        counts = {name: sum(r.label == label for r in fold) for name, fold in folds.items()}
        assert counts == {"train": 280, "validation": 60, "test": 60}


def test_the_seed_decides_the_folds() -> None:
    records = two_per_group(300)
    first, again = split_by_group(records, seed=5), split_by_group(records[::-1], seed=5)
    other = split_by_group(records, seed=6)
    assert fingerprint(first["test"]) == fingerprint(again["test"])
    assert fingerprint(first["test"]) != fingerprint(other["test"])


def test_refuses_a_split_whose_groups_cross_folds() -> None:
    leaking = {"train": [record(0, "monocyte", "7")], "test": [record(1, "monocyte", "7")]}
    with pytest.raises(DatasetError, match="Group 7"):
        check_no_leak(leaking)


def test_says_when_there_is_no_image_set(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"index\.csv"):
        read_pbc(tmp_path)


def test_reads_the_real_index(data_dir: Path) -> None:
    records = read_pbc(data_dir)
    assert {each.label for each in records} == set(CELL_CLASSES)
    folds = split_by_group(records, seed=20260101)
    assert sum(map(len, folds.values())) == len(records)


def test_cross_validation_deals_whole_groups_evenly() -> None:
    folds = folds_by_group(two_per_group(300), 5, seed=1)
    assert [len(fold) for fold in folds] == [60] * 5
    groups = [{each.group for each in fold} for fold in folds]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 150
    again = folds_by_group(two_per_group(300)[::-1], 5, seed=1)
    assert list(map(fingerprint, folds)) == list(map(fingerprint, again))


@pytest.mark.parametrize("release", RELEASED, ids=lambda release: release.name)
def test_the_folds_of_released_models_have_not_moved(data_dir: Path, release: Path) -> None:
    spec = read_spec(release)
    for source in spec.data["sources"]:
        folds = read_source(source["name"], data_dir, seed=spec.training["seed"])
        found = {name: of_classes(fold, spec.class_names) for name, fold in folds.items()}
        prints = {name: fingerprint(fold) for name, fold in found.items() if fold}
        assert prints == source["fingerprints"]
