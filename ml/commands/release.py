"""`python -m ml release`: calibrate a finished run, examine it once and write a release."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ml.artifacts import DEFAULT_RELEASE
from ml.classes import CELL_CLASSES
from ml.commands.inputs import add_data_options, add_run_option, load_fold
from ml.datasets import FOLDS, Record, fingerprint, read_pbc, split_by_group
from ml.releasing import add_strangers, make_release
from ml.training import TrainingPlan, read_plan

_SOURCE = (
    "PBC: single cells, May Grünwald-Giemsa, CellaVision DM96, Hospital Clínic Barcelona "
    "(Acevedo et al., Data in Brief 2020;30:105474)"
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("release", help="calibrate, examine once and write a release")
    command.set_defaults(run=_release)
    add_data_options(command)
    add_run_option(command)
    command.add_argument("--input-size", type=int, help="serve at this size, not the trained one")
    command.add_argument("--name", default="pbc8-mobilenetv2")
    command.add_argument("--version", default="1.0.0")
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")


def _release(options: argparse.Namespace) -> None:
    plan = read_plan(options.run_dir)
    size = options.input_size or plan.input_size
    folds = split_by_group(read_pbc(options.data), seed=plan.seed)
    make_release(
        options.run_dir,
        options.release,
        name=options.name,
        version=options.version,
        class_names=CELL_CLASSES,
        size=size,
        validation=load_fold(folds["validation"], options.run_dir),
        test=load_fold(folds["test"], options.run_dir),
        data=_describe(folds, plan.seed),
        command=_command(plan, size),
    )
    if (options.data / "bccd").is_dir():
        add_strangers(options.release, options.data)


def _describe(folds: dict[str, list[Record]], seed: int) -> dict[str, Any]:
    total = sum(map(len, folds.values()))
    return {
        "source": _SOURCE,
        "images": f"The {total:,} images",
        "licence": "CC BY 4.0; the released weights Apache-2.0, naming the source above",
        "start": "MobileNetV2 1.0 224 learned on ImageNet (TF-Slim, Apache-2.0)",
        "split": f"70/15/15 by group, in proportion per class, seed {seed}",
        "folds": {name: len(folds[name]) for name in FOLDS},
        "fingerprints": {name: fingerprint(folds[name]) for name in FOLDS},
    }


def _command(plan: TrainingPlan, size: int) -> str:
    usual = asdict(TrainingPlan())
    training = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in asdict(plan).items()
        if value != usual[name]
    ]
    serving = [f"--input-size {size}"] if size != plan.input_size else []
    return " ".join(["python -m ml train", *training, "&& python -m ml release", *serving])
