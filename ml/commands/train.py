"""`python -m ml train`: fine-tune a network; a run that was stopped goes on."""

from __future__ import annotations

import argparse
from pathlib import Path

from ml.architectures import ARCHITECTURES, imagenet_weights
from ml.classes import CELL_CLASSES
from ml.commands.common import add_data_options, add_run_option, folder_from, load_fold
from ml.datasets import read_pbc, split_by_group
from ml.training import TrainingPlan, train


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("train", help="fine-tune a network on PBC; resumes")
    command.set_defaults(run=_train)
    add_data_options(command)
    add_run_option(command)
    plan = TrainingPlan()
    command.add_argument("--architecture", choices=ARCHITECTURES, default=plan.architecture)
    command.add_argument("--input-size", type=int, default=plan.input_size)
    command.add_argument("--epochs", type=int, default=plan.epochs)
    command.add_argument("--seed", type=int, default=plan.seed)
    command.add_argument("--weights", type=Path, default=folder_from("HEMATOVISION_WEIGHTS"))


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
        training=load_fold(folds["train"], options.run_dir),
        validation=load_fold(folds["validation"], options.run_dir),
        classes=len(CELL_CLASSES),
        run_dir=options.run_dir,
        backbone_weights=imagenet_weights(options.weights),
    )
