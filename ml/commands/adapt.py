"""`python -m ml adapt`: adapt a release to a laboratory from its first few hundred cells."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml.adapting.enough import choose_cells
from ml.adapting.wanted import Wanted
from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.data.catalogue import CATALOGUE_NAME
from ml.data.records import Record
from ml.report.sources import read_folder
from ml.steps import add_memory_option, begin, say_line
from ml.training_sets import as_dict, next_version, read_set

_UNGROUPED = (
    "Each picture is its own group, as the folder has no catalogue: the figures are too high if "
    "several pictures show one cell or one patient."
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("adapt", help="adapt a release to a laboratory's reviewed cells")
    command.set_defaults(run=_run)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    cells = command.add_mutually_exclusive_group(required=True)
    cells.add_argument(
        "--cells",
        type=Path,
        metavar="FOLDER",
        help="a folder with a catalogue, or with a folder of images a class",
    )
    cells.add_argument(
        "--set", type=Path, metavar="FOLDER", dest="set_dir", help="a frozen training set"
    )
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--version", help="default: the next of the laboratory's own line")
    command.add_argument("--laboratory", help="in the card; default: the folder's or set's")
    command.add_argument("--licence", help="of the cells; default: its own, or the set's")
    add_memory_option(command)


def _run(options: argparse.Namespace) -> None:
    begin(options)
    base = read_spec(options.release)
    version = options.version or next_version(base.version)
    if options.set_dir:
        records, wanted = _of_set(options, version)
    else:
        records, wanted = _of_folder(options, version)
    chosen = choose_cells(records, base.class_names)
    from ml.adapting.releasing import adapt_release  # noqa: PLC0415 - TensorFlow

    spec = adapt_release(options.release, chosen, options.out, wanted, say=say_line)
    _show(spec.metrics["adaptation"])
    sys.stdout.write(f"{options.out}: {spec.name} {spec.version}\n")


def _of_folder(options: argparse.Namespace, version: str) -> tuple[Sequence[Record], Wanted]:
    """The cells of a folder, and what the release of them is to be called."""
    folder: Path = options.cells
    note = "" if (folder / CATALOGUE_NAME).is_file() else _UNGROUPED
    if note:
        sys.stderr.write(f"WARNING: {note}\n")
    return read_folder(folder), Wanted(
        version=version,
        laboratory=options.laboratory or folder.resolve().name,
        licence=options.licence or "the laboratory's own",
        note=note,
    )


def _of_set(options: argparse.Namespace, version: str) -> tuple[Sequence[Record], Wanted]:
    """The cells of a frozen set, every picture checked, and what is to be made of them."""
    say_line("Checking the set", 0, 1)
    found = read_set(options.set_dir)
    return found.records(options.set_dir), Wanted(
        version=version,
        laboratory=options.laboratory or found.name,
        licence=options.licence or found.licence,
        learned_from=as_dict(found),
    )


def _show(found: Mapping[str, Any]) -> None:
    for label, count in found["left_out"].items():
        sys.stdout.write(f"left out  {count}  {label}\n")
    for name in ("before", "after"):
        figures = found[name]
        low, high = figures["accuracy"]["interval_95"]
        sys.stdout.write(
            f"{name:9} accuracy {figures['accuracy']['value']:.4f} ({low:.4f} to {high:.4f}), "
            f"balanced {figures['balanced_accuracy']:.4f}, "
            f"named {figures['accepted']['value']:.4f}, "
            f"of these right {figures['accuracy_of_accepted']['value'] or 0.0:.4f}\n"
        )
