"""What several commands share: the options that name data, and the folds of PBC as pixels."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from ml.classes import CELL_CLASSES
from ml.datasets import Record, cached_pixels, labels_of
from ml.folds import Fold, mix
from ml.preprocessing import CANVAS
from ml.sources import of_classes, read_source
from ml.training import TrainingPlan


def add_data_options(command: argparse.ArgumentParser) -> None:
    """Add --data, which is required unless HEMATOVISION_DATA names the folder."""
    data = folder_from("HEMATOVISION_DATA")
    command.add_argument("--data", type=Path, default=data, required=data is None)


def add_run_option(
    command: argparse.ArgumentParser, default: str = "var/training/cells8-mobilenetv2"
) -> None:
    """Add --run-dir, where a training run keeps its checkpoints."""
    command.add_argument("--run-dir", type=Path, default=Path(default))


def add_weights_option(command: argparse.ArgumentParser) -> None:
    """Add --weights, what a network starts from; HEMATOVISION_WEIGHTS if not given."""
    weights = folder_from("HEMATOVISION_WEIGHTS")
    command.add_argument(
        "--weights", type=Path, default=weights, help="a file, or a folder of them"
    )


def add_settings(
    command: argparse.ArgumentParser, settings: Sequence[tuple[str, type, str]], usual: object
) -> None:
    """Add an option for each setting (name, type, help), with the default that `usual` has."""
    for name, kind, text in settings:
        command.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            default=getattr(usual, name),
            help=f"{text} (default: %(default)s)",
        )


def folder_from(variable: str) -> Path | None:
    """The folder that an environment variable names, if it is set."""
    value = os.environ.get(variable)
    return Path(value) if value else None


def load_fold(
    records: Sequence[Record], run_dir: Path, class_names: Sequence[str] = CELL_CLASSES
) -> Fold:
    """Decode what is of these classes at the canvas's size, through the run's cache."""
    records = of_classes(records, class_names)
    with tqdm(total=len(records), desc="decoding", mininterval=5) as bar:
        pixels = cached_pixels(records, CANVAS, run_dir / "cache", on_progress=bar.update)
    return Fold(pixels=pixels, labels=labels_of(records, class_names))


def load_mixed(plan: TrainingPlan, fold: str, data_dir: Path, run_dir: Path) -> Fold:
    """The plan's `train` or `validation` fold, its sources mixed as it says."""
    first, *others = (
        load_fold(read_source(name, data_dir, seed=plan.seed)[fold], run_dir, plan.class_names)
        for name in (plan.source, *plan.mixed)
    )
    return mix(first, list(zip(others, plan.mixed.values(), strict=True)))
