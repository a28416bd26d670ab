"""Read the PBC image set and split it by group, so that no cell is both learned and examined."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.classes import CELL_CLASSES
from ml.errors import DatasetError
from ml.preprocessing import decode_image, fit_square

FOLDS: Final[tuple[str, ...]] = ("train", "validation", "test")
SHARES: Final[Mapping[str, float]] = {"train": 0.70, "validation": 0.15, "test": 0.15}
_PBC_NAMES: Final[Mapping[str, str]] = {"ig": "immature_granulocyte"}


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled image; records of one `group` show the same cell or overlapping fields."""

    path: Path
    label: str
    group: str
    key: str
    """Name of the file inside its set, the same on every machine."""


def read_pbc(data_dir: Path) -> list[Record]:
    """List the images of `data_dir`/pbc by its index.csv, in the index's order."""
    root = data_dir / "pbc"
    index = root / "index.csv"
    if not index.is_file():
        raise DatasetError(f"No PBC image set: {index} does not exist.")
    with index.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    records = [_pbc_record(root, row) for row in rows]
    if not records:
        raise DatasetError(f"{index} lists no image.")
    return records


def _pbc_record(root: Path, row: Mapping[str, str]) -> Record:
    label = _PBC_NAMES.get(row["class"], row["class"])
    if label not in CELL_CLASSES:
        raise DatasetError(f"{row['file']} has the unknown class {row['class']!r}.")
    return Record(path=root / row["file"], label=label, group=row["group"], key=row["file"])


def split_by_group(records: Sequence[Record], *, seed: int) -> dict[str, list[Record]]:
    """Deal whole groups into 70/15/15 train, validation and test, in proportion per class."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.group].append(record)
    folds: dict[str, list[Record]] = {name: [] for name in FOLDS}
    for label in sorted({record.label for record in records}):
        names = sorted(name for name, members in groups.items() if _majority(members) == label)
        order = np.random.default_rng([seed, *label.encode()]).permutation(len(names))
        wanted = sum(len(groups[name]) for name in names)
        _deal([groups[names[index]] for index in order], folds, wanted)
    check_no_leak(folds)
    return folds


def _majority(members: Iterable[Record]) -> str:
    counts = Counter(record.label for record in members)
    return min(counts, key=lambda label: (-counts[label], label))


def _deal(groups: Iterable[list[Record]], folds: dict[str, list[Record]], wanted: int) -> None:
    """Fill test, then validation, then train, group by group."""
    limits = {name: SHARES[name] * wanted for name in ("test", "validation")}
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


def fingerprint(records: Iterable[Record]) -> str:
    """SHA-256 over the sorted file names and labels: names a fold without shipping its images."""
    lines = sorted(f"{record.key}\t{record.label}" for record in records)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def labels_of(records: Sequence[Record], class_names: Sequence[str]) -> NDArray[np.int64]:
    """Class indices int64[N] in the order of `class_names`."""
    index = {name: position for position, name in enumerate(class_names)}
    return np.array([index[record.label] for record in records], dtype=np.int64)


def load_pixels(
    records: Sequence[Record],
    size: int,
    *,
    workers: int = 2,
    on_progress: Callable[[], object] = lambda: None,
) -> NDArray[np.uint8]:
    """Decode through the serving path into uint8[N, size, size, 3] RGB."""
    pixels = np.empty((len(records), size, size, 3), dtype=np.uint8)

    def load(index: int) -> None:
        decoded = decode_image(records[index].path.read_bytes())
        pixels[index] = fit_square(decoded.pixels, size)
        on_progress()

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(load, range(len(records))):
            pass
    return pixels


def cached_pixels(
    records: Sequence[Record],
    size: int,
    cache_dir: Path,
    *,
    on_progress: Callable[[], object] = lambda: None,
) -> NDArray[np.uint8]:
    """As `load_pixels`, kept as one .npy file per fold and size for the next run."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    ordered = "\n".join(record.key for record in records)
    digest = hashlib.sha256(ordered.encode()).hexdigest()[:16]
    path = cache_dir / f"{digest}-{size}.npy"
    if path.is_file():
        return np.asarray(np.load(path, mmap_mode="r"))
    pixels = load_pixels(records, size, on_progress=on_progress)
    part = path.with_suffix(".part.npy")
    np.save(part, pixels)
    part.replace(path)
    return pixels
