"""`python -m ml evaluate`: examine a release as it serves."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from ml.artifacts import DEFAULT_RELEASE
from ml.commands.inputs import add_data_options
from ml.datasets import labels_of, load_pixels, read_pbc, split_by_group
from ml.evaluation import (
    Examination,
    StrangerScore,
    examine,
    examine_strangers,
    predict_probabilities,
)
from ml.inference import load_classifier
from ml.preprocessing import CANVAS
from ml.training import TrainingPlan


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("evaluate", help="examine a release as it serves")
    command.set_defaults(run=_evaluate)
    add_data_options(command)
    command.add_argument("--seed", type=int, default=TrainingPlan().seed)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument("--on", choices=("validation", "test", "bccd"), default="validation")


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
