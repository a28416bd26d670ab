"""`python -m ml train`: fine-tune a network; a run that was stopped goes on."""

from __future__ import annotations

import argparse
from typing import Final

from ml.architectures import ARCHITECTURES, imagenet_weights
from ml.classes import CELL_CLASSES
from ml.commands.inputs import (
    add_data_options,
    add_run_option,
    add_settings,
    add_weights_option,
    load_mixed,
)
from ml.sources import PBC
from ml.training import TrainingPlan, train

SETTINGS: Final[tuple[tuple[str, type, str], ...]] = (
    ("input_size", int, "side of the views in pixels"),
    ("closer_size", int, "side of a second, closer look; none unless given"),
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
    command = commands.add_parser("train", help="fine-tune a network; resumes")
    command.set_defaults(run=_train)
    add_data_options(command)
    add_run_option(command)
    add_plan_options(command)


def add_plan_options(command: argparse.ArgumentParser) -> None:
    """Add what decides a run: where it starts, what it learns from, and every setting."""
    add_weights_option(command)
    command.add_argument("--start", metavar="RUN", help="go on from a finished run's weights")
    command.add_argument(
        "--source", default=PBC, metavar="SET", help="pbc, bccd or a catalogue's folder"
    )
    command.add_argument(
        "--mix",
        action="append",
        default=[],
        type=_share,
        metavar="SET=SHARE",
        help="a further set, and its share of all views; may be given again",
    )
    command.add_argument("--classes", nargs="+", choices=CELL_CLASSES, default=list(CELL_CLASSES))
    command.add_argument(
        "--architecture", choices=ARCHITECTURES, default=TrainingPlan().architecture
    )
    add_settings(command, SETTINGS, TrainingPlan())


def plan_from(options: argparse.Namespace) -> TrainingPlan:
    """The plan that the command line describes."""
    return TrainingPlan(
        architecture=options.architecture,
        class_names=tuple(options.classes),
        start=options.start,
        source=options.source,
        mixed=dict(options.mix),
        **{name: getattr(options, name) for name, _, _ in SETTINGS},
    )


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.rpartition("=")
    if not name or not 0.0 < float(share) < 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not SET=SHARE with a share below 1")
    return name, float(share)


def _train(options: argparse.Namespace) -> None:
    plan = plan_from(options)
    train(
        plan,
        training=load_mixed(plan, "train", options.data, options.run_dir),
        validation=load_mixed(plan, "validation", options.data, options.run_dir),
        run_dir=options.run_dir,
        backbone_weights=imagenet_weights(plan.architecture, options.weights),
    )
