"""Deal annotated fields into folds, so that no picture is both learned and examined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ml.data.splits import FOLDS, check_no_leak, split_by_group
from ml.datasets import read_pbc
from ml.detection.fields import AnnotatedField, read_fields
from ml.errors import DatasetError

_PBC: Final = "pbc"


def deal_fields(data_dir: Path, *, seed: int) -> dict[str, list[AnnotatedField]]:
    """All fields of `data_dir` in train, validation and test, whole groups at a time.

    A crop of PBC goes into the fold that its original has in the classifier's split of the same
    seed: then the test fold is new to both networks. The other sets are dealt 70/15/15.
    """
    fields = read_fields(data_dir)
    home = _homes_of_pbc(data_dir, seed)
    others = [each.record for each in fields if each.record.label != _PBC]
    for name, dealt in split_by_group(others, seed=seed).items():
        home.update({record.group: name for record in dealt})
    folds: dict[str, list[AnnotatedField]] = {name: [] for name in FOLDS}
    for each in fields:
        folds[home[each.record.group]].append(each)
    check_fields_apart(folds)
    return folds


def check_fields_apart(folds: Mapping[str, Sequence[AnnotatedField]]) -> None:
    """Raise DatasetError if a group, or one picture under two names, lies in two folds."""
    check_no_leak({name: [each.record for each in fields] for name, fields in folds.items()})
    home: dict[tuple[str, str], str] = {}
    for name, fields in folds.items():
        for each in fields:
            picture = (each.record.label, each.original)
            if home.setdefault(picture, name) != name:
                raise DatasetError(
                    f"{each.original} of {each.record.label} lies in {home[picture]} and {name}."
                )


def _homes_of_pbc(data_dir: Path, seed: int) -> dict[str, str]:
    folds = split_by_group(read_pbc(data_dir), seed=seed)
    return {f"pbc/{record.group}": name for name, records in folds.items() for record in records}
