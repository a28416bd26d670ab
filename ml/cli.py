"""Command line of the package: `python -m ml train`, and its siblings to evaluate and release."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from ml.architectures import ARCHITECTURES, imagenet_weights
from ml.classes import CELL_CLASSES
from ml.datasets import Record, cached_pixels, labels_of, read_pbc, split_by_group
from ml.training import Fold, TrainingPlan, train

_CANVAS = 256
"""Side of the images that training cuts its views from; PBC's own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and run one sub-command; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = _parser().parse_args(arguments)
    options.run(options)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("train", help="fine-tune a network on PBC")
    command.set_defaults(run=_train)
    _add_data_options(command)
    plan = TrainingPlan()
    command.add_argument("--architecture", choices=ARCHITECTURES, default=plan.architecture)
    command.add_argument("--input-size", type=int, default=plan.input_size)
    command.add_argument("--epochs", type=int, default=plan.epochs)
    command.add_argument("--seed", type=int, default=plan.seed)
    command.add_argument("--weights", type=Path, default=_folder("HEMATOVISION_WEIGHTS"))
    return parser


def _add_data_options(command: argparse.ArgumentParser) -> None:
    data = _folder("HEMATOVISION_DATA")
    command.add_argument("--data", type=Path, default=data, required=data is None)
    command.add_argument("--run-dir", type=Path, default=Path("var/training/pbc8-mobilenetv2"))


def _folder(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def _train(options: argparse.Namespace) -> None:
    plan = TrainingPlan(
        architecture=options.architecture,
        input_size=options.input_size,
        epochs=options.epochs,
        seed=options.seed,
    )
    folds = split_by_group(read_pbc(options.data), seed=plan.seed)
    train(
        plan,
        training=_fold(folds["train"], _CANVAS, options.run_dir),
        validation=_fold(folds["validation"], plan.input_size, options.run_dir),
        classes=len(CELL_CLASSES),
        run_dir=options.run_dir,
        backbone_weights=imagenet_weights(options.weights),
    )


def _fold(records: Sequence[Record], size: int, run_dir: Path) -> Fold:
    with tqdm(total=len(records), desc=f"decoding at {size} px", mininterval=5) as bar:
        pixels = cached_pixels(records, size, run_dir / "cache", on_progress=bar.update)
    return Fold(pixels=pixels, labels=labels_of(records, CELL_CLASSES))
