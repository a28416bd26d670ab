"""`python -m ml adapt`: adapt a release to a laboratory from its first few hundred cells."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ml.adapting.enough import choose_cells
from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.data.catalogue import CATALOGUE_NAME
from ml.report.sources import read_folder

_UNGROUPED = (
    "Each picture is its own group, as the folder has no catalogue: the figures are too high if "
    "several pictures show one cell or one patient."
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("adapt", help="adapt a release to a laboratory's reviewed cells")
    command.set_defaults(run=_run)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument(
        "--cells",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="a folder with a catalogue, or with a folder of images a class",
    )
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--version", required=True)
    command.add_argument("--laboratory", help="its name in the card; default: the folder's")
    command.add_argument("--licence", default="the laboratory's own", help="of the cells")


def _run(options: argparse.Namespace) -> None:
    chosen = choose_cells(read_folder(options.cells), read_spec(options.release).class_names)
    from ml.adapting.releasing import Wanted, adapt_release  # noqa: PLC0415 - TensorFlow

    note = "" if (options.cells / CATALOGUE_NAME).is_file() else _UNGROUPED
    if note:
        sys.stderr.write(f"WARNING: {note}\n")
    wanted = Wanted(
        version=options.version,
        laboratory=options.laboratory or options.cells.resolve().name,
        licence=options.licence,
        note=note,
    )
    with tqdm(total=len(chosen.records), desc="looking", mininterval=5) as bar:
        spec = adapt_release(options.release, chosen, options.out, wanted, on_progress=bar.update)
    _show(spec.metrics["adaptation"])
    sys.stdout.write(f"{options.out}: {spec.name} {spec.version}\n")


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
