"""Find the cells that an evaluation names, and let a release read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ml.artifacts import ReleaseSpec
from ml.data.catalogue import CATALOGUE_NAME, read_catalogue, to_records
from ml.data.pixels import read_cell
from ml.data.readers.folders import read_folders
from ml.data.records import Record, fingerprint
from ml.errors import DatasetError
from ml.evaluation import predict_probabilities
from ml.inference import CellClassifier
from ml.report.subject import Subject
from ml.sources import BCCD, PBC, of_classes, read_bccd_records, read_source
from ml.strangers import PBC_MARGIN
from ml.training import TrainingPlan

FOLDS: Final[tuple[str, ...]] = ("validation", "test")
_BATCH: Final = 64
"""Pictures decoded at a time, so that memory does not grow with the set."""


@dataclass(frozen=True, slots=True)
class Source:
    """Labelled cells under the name that a report gives them."""

    name: str
    records: Sequence[Record]
    margin: float | None = None
    left_out: int = 0
    note: str = ""


def find_sources(
    name: str, spec: ReleaseSpec, data_dir: Path, *, margins: Sequence[float]
) -> Iterator[Source]:
    """The sources that `validation`, `test`, `bccd` or a folder stands for.

    BCCD's cells lie in fields and are cut at each margin. A folder holds a catalogue or one folder
    of images a class. Raises DatasetError if there is no such set, or no cell of a known class.
    """
    if name in FOLDS:
        records = read_source(PBC, data_dir, seed=_seed(spec))[name]
        yield _source(fold_name(name), records, spec, note=_fold_note(name, records, spec))
    elif name == BCCD:
        records = read_bccd_records(data_dir)
        note = _leak_note(spec, data_dir)
        for margin in margins:
            yield _source(f"BCCD crops, margin {margin}", records, spec, margin, note)
    else:
        folder = Path(name)
        yield _source(folder.resolve().name, read_folder(folder), spec, note=_FOLDER_NOTE)


_FOLDER_NOTE: Final = (
    "Groups are those of the catalogue; in a plain folder each picture is its own group, so "
    "intervals are too narrow if several show one cell or one patient."
)


def fold_name(fold: str) -> str:
    """What a report calls a fold of PBC."""
    return f"PBC, {fold} fold"


def limit(source: Source, classes: Sequence[str]) -> Source:
    """The source's cells of these classes; raises DatasetError if there are none."""
    kept = of_classes(source.records, classes)
    if not kept:
        raise DatasetError(f"{source.name} has no cell of these classes: {', '.join(classes)}.")
    left_out = source.left_out + len(source.records) - len(kept)
    return replace(source, records=kept, left_out=left_out)


def read(source: Source, classifier: CellClassifier) -> Subject:
    """Decode and classify the source's cells, batch by batch, as they are served."""
    found: list[NDArray[np.float64]] = []
    accepted: list[NDArray[np.bool_]] = []
    margin = source.margin or PBC_MARGIN
    with tqdm(total=len(source.records), desc=source.name, mininterval=1) as bar:
        for start in range(0, len(source.records), _BATCH):
            batch = source.records[start : start + _BATCH]
            images = [read_cell(record, margin=margin) for record in batch]
            rows, is_accepted = predict_probabilities(classifier, images)
            found.append(rows)
            accepted.append(is_accepted)
            bar.update(len(batch))
    return Subject(
        name=source.name,
        records=source.records,
        class_names=classifier.class_names,
        probabilities=np.concatenate(found),
        is_accepted=np.concatenate(accepted),
        margin=source.margin,
        left_out=source.left_out,
        note=source.note,
    )


def _source(
    name: str,
    records: Sequence[Record],
    spec: ReleaseSpec,
    margin: float | None = None,
    note: str = "",
) -> Source:
    known = of_classes(records, spec.class_names)
    if not known:
        raise DatasetError(f"{name} has no cell of a class that the release names.")
    return Source(name, known, margin, left_out=len(records) - len(known), note=note)


def read_folder(folder: Path) -> list[Record]:
    """The labelled cells of a folder with a catalogue, or with a folder of images a class."""
    if (folder / CATALOGUE_NAME).is_file():
        return to_records(folder, read_catalogue(folder))
    return [
        Record(path=item.path, label=item.label, group=item.group or item.key, key=item.key)
        for item in read_folders(folder).items
        if item.path is not None
    ]


def _fold_note(fold: str, records: Sequence[Record], spec: ReleaseSpec) -> str:
    """Say so where the fold is not the one that the release was split by."""
    known = _fingerprints(spec)
    if known & {fingerprint(records), fingerprint(of_classes(records, spec.class_names))}:
        return ""
    if not known:
        return "The release names no folds, so cells that trained it may be among these."
    return (
        f"This {fold} fold is not the one named in the release's spec: the split or the image set "
        "differs, so cells that trained the release may be among these."
    )


def _leak_note(spec: ReleaseSpec, data_dir: Path) -> str:
    """Say so where the release learned from cells of BCCD."""
    folds = read_source(BCCD, data_dir, seed=_seed(spec))
    if fingerprint(of_classes(folds["train"], spec.class_names)) not in _fingerprints(spec):
        return ""
    return (
        "The release was trained on part of these cells, so the figures are too high. "
        "The command crossvalidate examines each on a network that never saw it."
    )


def _seed(spec: ReleaseSpec) -> int:
    """By which the release's folds were dealt; the usual one where it names none."""
    return int(spec.training.get("seed", TrainingPlan().seed))


def _fingerprints(spec: ReleaseSpec) -> set[str]:
    """SHA-256 of every fold that the spec names, of one source or several."""
    listed = [spec.data, *spec.data.get("sources", [])]
    return {digest for each in listed for digest in each.get("fingerprints", {}).values()}
