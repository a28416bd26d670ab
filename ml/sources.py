"""Image sets to train on, by name or by the folder of their catalogue, dealt into folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ml.artifacts import ReleaseSpec
from ml.data.catalogue import CATALOGUE_NAME, read_folds
from ml.data.readers.bccd import read_bccd
from ml.data.records import Record, fingerprint
from ml.data.splits import split_by_group
from ml.datasets import read_pbc
from ml.errors import DatasetError

PBC: Final = "pbc"
BCCD: Final = "bccd"

_LEARNED_SHARES: Final[Mapping[str, float]] = {"train": 0.85, "validation": 0.15, "test": 0.0}
"""Of BCCD, too small for a test fold that says anything: cross-validation examines it."""


def read_source(name: str, data_dir: Path, *, seed: int) -> dict[str, list[Record]]:
    """Deal `pbc`, `bccd` or a catalogue's folder into train, validation and test.

    Raises DatasetError if there is no such set.
    """
    if name == PBC:
        return split_by_group(read_pbc(data_dir), seed=seed)
    if name == BCCD:
        return split_by_group(read_bccd_records(data_dir), seed=seed, shares=_LEARNED_SHARES)
    if (Path(name) / CATALOGUE_NAME).is_file():
        return read_folds(Path(name))
    raise DatasetError(f"No image set {name!r}: name {PBC}, {BCCD} or a catalogue's folder.")


def read_bccd_records(data_dir: Path) -> list[Record]:
    """The labelled white cells of `data_dir`/bccd, each with its box in the field."""
    return [
        Record(path=item.path, label=item.label, group=item.group, key=item.key, box=item.box)
        for item in read_bccd(data_dir / BCCD).items
        if item.path is not None
    ]


def read_released_fold(spec: ReleaseSpec, fold: str, data_dir: Path) -> list[Record]:
    """The cells of a release's own fold, over all its sources, of the classes that it names.

    Raises DatasetError where a source's fold isn't the one that the spec names.
    """
    records: list[Record] = []
    for source in spec.data.get("sources", []):
        dealt = read_source(source["name"], data_dir, seed=spec.training["seed"])
        own = of_classes(dealt[fold], spec.class_names)
        named = source["fingerprints"].get(fold)
        if own and fingerprint(own) != named:
            raise DatasetError(
                f"The {fold} fold of {source['name']} is not the one that {spec.name} was made of."
            )
        records += own
    if not records:
        raise DatasetError(f"{spec.name} {spec.version} names no {fold} fold.")
    return records


def of_classes(records: Sequence[Record], class_names: Sequence[str]) -> list[Record]:
    """Those that show one of these classes."""
    return [record for record in records if record.label in class_names]
