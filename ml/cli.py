"""Command line of the package: `python -m ml train | release | evaluate`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ml.architectures import ARCHITECTURES, imagenet_weights
from ml.artifacts import DEFAULT_RELEASE
from ml.classes import CELL_CLASSES
from ml.datasets import (
    FOLDS,
    Record,
    cached_pixels,
    fingerprint,
    labels_of,
    load_pixels,
    read_pbc,
    split_by_group,
)
from ml.errors import MLError
from ml.evaluation import (
    Examination,
    StrangerScore,
    examine,
    examine_strangers,
    predict_probabilities,
)
from ml.inference import load_classifier
from ml.releasing import add_strangers, make_release
from ml.training import Fold, TrainingPlan, read_plan, train

CANVAS = 256
"""Side of the images that training cuts its views from; PBC's own."""

_SOURCE = (
    "PBC: single cells, May Grünwald-Giemsa, CellaVision DM96, Hospital Clínic Barcelona "
    "(Acevedo et al., Data in Brief 2020;30:105474)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and run one sub-command; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except MLError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_train(commands.add_parser("train", help="fine-tune a network on PBC; resumes"))
    _add_release(commands.add_parser("release", help="calibrate, examine once and write a release"))
    _add_evaluate(commands.add_parser("evaluate", help="examine a release as it serves"))
    return parser


def _add_train(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=_train)
    _add_data_options(command)
    plan = TrainingPlan()
    command.add_argument("--architecture", choices=ARCHITECTURES, default=plan.architecture)
    command.add_argument("--input-size", type=int, default=plan.input_size)
    command.add_argument("--epochs", type=int, default=plan.epochs)
    command.add_argument("--seed", type=int, default=plan.seed)
    command.add_argument("--weights", type=Path, default=_folder("HEMATOVISION_WEIGHTS"))


def _add_release(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=_release)
    _add_data_options(command)
    command.add_argument("--input-size", type=int, help="serve at this size, not the trained one")
    command.add_argument("--name", default="pbc8-mobilenetv2")
    command.add_argument("--version", default="1.0.0")
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")


def _add_evaluate(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=_evaluate)
    _add_data_options(command)
    command.add_argument("--seed", type=int, default=TrainingPlan().seed)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument("--on", choices=("validation", "test", "bccd"), default="validation")


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
        training=_fold(folds["train"], CANVAS, options.run_dir),
        validation=_fold(folds["validation"], plan.input_size, options.run_dir),
        classes=len(CELL_CLASSES),
        run_dir=options.run_dir,
        backbone_weights=imagenet_weights(options.weights),
    )


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
        validation=_fold(folds["validation"], size, options.run_dir),
        test=_fold(folds["test"], size, options.run_dir),
        data=_describe(folds, plan.seed),
        command=_command(plan, size),
    )
    if (options.data / "bccd").is_dir():
        add_strangers(options.release, options.data)


def _evaluate(options: argparse.Namespace) -> None:
    if options.on == "bccd":
        for score in examine_strangers(load_classifier(options.release), options.data):
            _show_strangers(score)
        return
    classifier = load_classifier(options.release)
    records = split_by_group(read_pbc(options.data), seed=options.seed)[options.on]
    with tqdm(total=len(records), desc="decoding", mininterval=1) as bar:
        pixels = load_pixels(records, CANVAS, on_progress=bar.update)
    probabilities, is_accepted = predict_probabilities(classifier, pixels)
    truth = labels_of(records, classifier.class_names)
    _show(examine(probabilities, truth, classifier.class_names, is_accepted=is_accepted))


def _fold(records: Sequence[Record], size: int, run_dir: Path) -> Fold:
    with tqdm(total=len(records), desc=f"decoding at {size} px", mininterval=5) as bar:
        pixels = cached_pixels(records, size, run_dir / "cache", on_progress=bar.update)
    return Fold(pixels=pixels, labels=labels_of(records, CELL_CLASSES))


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
    usual = TrainingPlan()
    training = [
        f"--{name.replace('_', '-')} {getattr(plan, name)}"
        for name in ("architecture", "input_size", "epochs", "seed")
        if getattr(plan, name) != getattr(usual, name)
    ]
    serving = [f"--input-size {size}"] if size != plan.input_size else []
    return " ".join(["python -m ml train", *training, "&& python -m ml release", *serving])


def _show(examination: Examination) -> None:
    report = examination.report
    low, high = report.accuracy.interval
    lines = [
        f"accuracy  {report.accuracy.value:.4f}  ({low:.4f} to {high:.4f})",
        f"cells     {report.accuracy.total}",
        f"balanced  {report.balanced_accuracy:.4f}",
        f"macro F1  {report.macro_f1:.4f}",
        f"ECE       {examination.calibration_error:.4f}",
        f"accepted  {examination.accepted.value:.4f}",
        f"  right   {examination.correct_of_accepted.value:.4f}",
    ]
    lines += [
        f"{figures.name:22} recall {figures.recall.value:.4f} (n={figures.recall.total})"
        f"  precision {figures.precision.value:.4f}  F1 {figures.f1:.4f}"
        for figures in report.classes
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _show_strangers(score: StrangerScore) -> None:
    sys.stdout.write(f"BCCD crops, margin {score.margin}\n")
    _show(score.examination)
