"""Import an image set into a catalogue; check catalogues for duplicates, conflicts and leaks."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tqdm import tqdm

from ml.data.catalogue import Entry, read_catalogue, to_records, write_catalogue
from ml.data.duplicates import Kind, Match, conflicting, find_matches, groups_of
from ml.data.features import Features, measure_files
from ml.data.readers.listing import Item, Listing
from ml.data.splits import split_by_group
from ml.errors import DatasetError
from ml.preprocessing import to_png

_CACHE: Final = ".features"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two entries, as source/key, and why they are set side by side."""

    first: str
    second: str
    kind: Kind | None
    """None where only their group joins them."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found; `folders` maps each folder to its entries with joined groups."""

    folders: dict[Path, list[Entry]]
    unreadable: list[tuple[str, str]]
    duplicates: list[Pair]
    conflicts: list[Pair]
    leaks: list[Pair]


def import_listing(
    listing: Listing, out: Path, *, copy: bool = False, licence: str | None = None
) -> list[Entry]:
    """Write the catalogue of what a reader found, with files in place or copied to `out`/images.

    Raises DatasetError if a picture has no licence, or if `out` already holds a catalogue.
    """
    if (out / "catalogue.csv").exists():
        raise DatasetError(f"{out} already holds a catalogue.")
    if not listing.items:
        raise DatasetError(f"Nothing to import: {listing.source} has no usable picture.")
    entries = [_entry(item, listing, out, licence=licence, copy=copy) for item in listing.items]
    write_catalogue(out, entries)
    return entries


def _entry(item: Item, listing: Listing, out: Path, *, licence: str | None, copy: bool) -> Entry:
    terms = licence or item.licence or listing.licence
    if not terms:
        raise DatasetError(f"{listing.source} states no licence for {item.key}: give --licence.")
    return Entry(
        key=item.key,
        path=_place(item, out, copy=copy),
        label=item.label,
        group=f"{listing.source}:{item.group or item.key}",
        source=listing.source,
        licence=terms,
        box=" ".join(map(str, item.box.as_list())) if item.box else "",
    )


def _place(item: Item, out: Path, *, copy: bool) -> str:
    home = Path("images") / item.key.split("#")[0]
    if item.path is not None and not copy:
        return str(item.path.resolve())
    (out / home).parent.mkdir(parents=True, exist_ok=True)
    if item.pixels is not None:
        (out / home).write_bytes(to_png(item.pixels))
    elif item.path is not None and item.path.is_file():
        shutil.copyfile(item.path, out / home)
    return home.as_posix()


def check_folders(folders: Sequence[Path]) -> Check:
    """Look at every picture of every catalogue together; nothing is written.

    Entries that cannot be read are left out. Groups are joined along duplicates. Leaks are pairs
    of one group in two folds, where catalogues are split.
    """
    listed = [(folder, entry) for folder in folders for entry in read_catalogue(folder)]
    paths = sorted({folder / entry.path for folder, entry in listed})
    features, matches = _compare(paths, folders[0] / _CACHE)
    number = {path: index for index, path in enumerate(paths)}
    numbers = [number[folder / entry.path] for folder, entry in listed]
    names = [_name(entry) for _, entry in listed]
    first_of = {picture: index for index, picture in reversed(list(enumerate(numbers)))}
    pairs = [(first_of[match.first], first_of[match.second]) for match in matches]
    same = [(first_of[picture], index) for index, picture in enumerate(numbers)]
    groups = groups_of([entry.group for _, entry in listed], [*pairs, *same])
    kinds = {pair: match.kind for pair, match in zip(pairs, matches, strict=True)}
    joined: dict[Path, list[Entry]] = {folder: [] for folder in folders}
    for (folder, entry), group, picture in zip(listed, groups, numbers, strict=True):
        if not features.reasons[picture]:
            joined[folder].append(_checked(entry, group, features, picture))
    labels = [listed[first_of[picture]][1].label for picture in range(len(paths))]
    return Check(
        folders=joined,
        unreadable=_unreadable(names, [features.reasons[picture] for picture in numbers]),
        duplicates=[Pair(names[a], names[b], kind) for (a, b), kind in kinds.items()],
        conflicts=[
            Pair(names[first_of[match.first]], names[first_of[match.second]], match.kind)
            for match in conflicting(labels, matches)
        ],
        leaks=_leaks([entry for _, entry in listed], groups, kinds),
    )


def _compare(paths: Sequence[Path], cache: Path) -> tuple[Features, list[Match]]:
    """Measure every picture and match each with the others, while bars show how far it is."""
    with tqdm(total=len(paths), desc="reading", mininterval=1) as bar:
        features = measure_files(paths, cache, on_progress=bar.update)
    with tqdm(desc="comparing", mininterval=1) as bar:
        return features, find_matches(paths, features, on_progress=bar.update)


def _checked(entry: Entry, group: str, features: Features, picture: int) -> Entry:
    return replace(
        entry,
        group=group,
        sha256=features.sha256[picture],
        phash=f"{int(features.hashes[picture, 0]):016x}",
    )


def _unreadable(names: Sequence[str], reasons: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, reason) for name, reason in zip(names, reasons, strict=True) if reason]


def _leaks(
    entries: Sequence[Entry], groups: Sequence[str], kinds: dict[tuple[int, int], Kind]
) -> list[Pair]:
    """Matched pairs across folds; and, once a group, a pair that only the group joins."""

    def crosses(a: int, b: int) -> bool:
        return bool(entries[a].fold and entries[b].fold) and entries[a].fold != entries[b].fold

    found = {pair: kind for pair, kind in kinds.items() if crosses(*pair)}
    told = {groups[a] for a, _ in found}
    leaks = [Pair(_placed(entries[a]), _placed(entries[b]), kind) for (a, b), kind in found.items()]
    seen: dict[str, int] = {}
    for index, group in enumerate(groups):
        first = seen.setdefault(group, index)
        if crosses(first, index) and group not in told:
            leaks.append(Pair(_placed(entries[first]), _placed(entries[index]), None))
            told.add(group)
    return leaks


def _name(entry: Entry) -> str:
    return f"{entry.source}/{entry.key}"


def _placed(entry: Entry) -> str:
    return f"{_name(entry)} ({entry.fold})"


def split_folder(folder: Path, *, shares: dict[str, float], seed: int) -> dict[str, int]:
    """Write each entry's fold into the catalogue; returns the folds' sizes.

    Raises DatasetError if the catalogue was never checked, as its groups may then leak.
    """
    entries = read_catalogue(folder)
    if any(not entry.sha256 for entry in entries):
        raise DatasetError(f"{folder} was not checked for duplicates: run `data check` first.")
    folds = split_by_group(to_records(folder, entries), seed=seed, shares=shares)
    fold_of = {record.key: name for name, records in folds.items() for record in records}
    write_catalogue(folder, [replace(each, fold=fold_of[_name(each)]) for each in entries])
    return {name: len(records) for name, records in folds.items()}
