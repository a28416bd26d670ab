"""`python -m ml train`: fine-tune a network; a run that was stopped goes on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from ml.architectures import ARCHITECTURES, imagenet_weights
from ml.classes import CELL_CLASSES
from ml.commands.inputs import add_data_options, add_run_option, folder_from, load_fold
from ml.datasets import read_pbc, split_by_group
from ml.training import TrainingPlan, train

_SETTINGS: Final[tuple[tuple[str, type, str], ...]] = (
    ("input_size", int, "side of the views in pixels"),
    ("epochs", int, "passes over the training fold, those of the head included"),
    ("head_epochs", int, "passes with the backbone frozen"),
    ("patience", int, "passes without a better validation score before it stops"),
    ("batch_size", int, "views a step"),
    ("head_rate", float, "Adam's learning rate while the backbone is frozen"),
    ("peak_rate", float, "AdamW's highest learning rate, after warm-up"),
    ("weight_decay", float, "AdamW's weight decay"),
    ("dropout", float, "share of features dropped before the last layer"),
    ("label_smoothing", float, "share of the target spread over all classes"),
    ("seed", int, "decides folds, order and views"),
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("train", help="fine-tune a network on PBC; resumes")
    command.set_defaults(run=_train)
    add_data_options(command)
    add_run_option(command)
    weights = folder_from("HEMATOVISION_WEIGHTS")
    command.add_argument(
        "--weights", type=Path, default=weights, help="a file, or a folder of them"
    )
    command.add_argument(
        "--architecture", choices=ARCHITECTURES, default=TrainingPlan().architecture
    )
    for name, kind, text in _SETTINGS:
        command.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            default=getattr(TrainingPlan(), name),
            help=f"{text} (default: %(default)s)",
        )


def _train(options: argparse.Namespace) -> None:
    settings = {name: getattr(options, name) for name, _, _ in _SETTINGS}
    plan = TrainingPlan(architecture=options.architecture, **settings)
    folds = split_by_group(read_pbc(options.data), seed=plan.seed)
    train(
        plan,
        training=load_fold(folds["train"], options.run_dir),
        validation=load_fold(folds["validation"], options.run_dir),
        classes=len(CELL_CLASSES),
        run_dir=options.run_dir,
        backbone_weights=imagenet_weights(plan.architecture, options.weights),
    )
