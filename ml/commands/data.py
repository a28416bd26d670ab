"""`python -m ml data`: import image sets, check them for duplicates, split them by group."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ml.data.catalogue import write_catalogue
from ml.data.importing import Check, Pair, check_folders, import_listing, split_folder
from ml.data.readers import READERS
from ml.errors import DatasetError

SPLITS: Final = {
    "70/15/15": {"train": 0.70, "validation": 0.15, "test": 0.15},
    "80/10/10": {"train": 0.80, "validation": 0.10, "test": 0.10},
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    data = commands.add_parser("data", help="import, check and split image sets")
    actions = data.add_subparsers(required=True)
    importing = actions.add_parser("import", help="list an image set in a catalogue")
    importing.set_defaults(run=_import)
    importing.add_argument("source", type=Path, help="folder or file of the set")
    importing.add_argument("--kind", choices=READERS, required=True)
    importing.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    importing.add_argument("--licence", help="of the set, where it states none")
    importing.add_argument("--copy", action="store_true", help="copy the images into --out")
    checking = actions.add_parser("check", help="find duplicates, conflicts and leaks")
    checking.set_defaults(run=_check)
    checking.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    splitting = actions.add_parser("split", help="deal whole groups into folds")
    splitting.set_defaults(run=_split)
    splitting.add_argument("folder", type=Path)
    splitting.add_argument("--shares", choices=SPLITS, default="70/15/15")
    splitting.add_argument("--seed", type=int, required=True)


def _import(options: argparse.Namespace) -> None:
    listing = READERS[options.kind](options.source)
    for warning in listing.warnings:
        sys.stderr.write(f"WARNING: {warning}\n")
    import_listing(listing, options.out, copy=options.copy, licence=options.licence)
    for reason, count in sorted(listing.left_out.items()):
        sys.stdout.write(f"left out  {count}  {reason}\n")
    _finish([options.out])


def _check(options: argparse.Namespace) -> None:
    _finish(options.folders)


def _finish(folders: Sequence[Path]) -> None:
    """Check, tell, and keep the joined groups unless the split leaks."""
    check = check_folders(folders)
    _show(check)
    if check.leaks:
        raise DatasetError(f"The split leaks: {len(check.leaks)} pairs lie in two folds.")
    for folder, entries in check.folders.items():
        write_catalogue(folder, entries)


def _show(check: Check) -> None:
    entries = [entry for listed in check.folders.values() for entry in listed]
    groups = len({entry.group for entry in entries})
    lines = [f"skipped   {name}: {reason}" for name, reason in check.unreadable]
    lines += [_line("duplicate", pair) for pair in check.duplicates]
    lines += [_line("conflict ", pair) for pair in check.conflicts]
    lines += [_line("LEAK     ", pair) for pair in check.leaks]
    lines.append(
        f"{len(entries)} entries in {groups} groups; {len(check.duplicates)} duplicates, "
        f"{len(check.conflicts)} with conflicting labels, {len(check.unreadable)} unreadable, "
        f"{len(check.leaks)} leaks"
    )
    sys.stdout.write("\n".join(lines) + "\n")


def _line(what: str, pair: Pair) -> str:
    return f"{what} {pair.first} | {pair.second} ({pair.kind or 'same group'})"


def _split(options: argparse.Namespace) -> None:
    sizes = split_folder(options.folder, shares=SPLITS[options.shares], seed=options.seed)
    sys.stdout.write("".join(f"{name:10} {size}\n" for name, size in sizes.items()))
