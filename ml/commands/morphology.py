"""`python -m ml morphology`: fit the heads that describe a cell, and examine them once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ml.artifacts import DEFAULT_RELEASE, ReleaseSpec, read_spec, sha256_of
from ml.card import publish
from ml.commands.inputs import add_data_options
from ml.errors import DatasetError
from ml.inference import load_classifier
from ml.morphology import MORPHOLOGY_NAME, read_heads, save_heads
from ml.morphology_fitting import (
    Described,
    examine_heads,
    fit_heads,
    read_attributes,
    read_described,
)
from ml.sources import read_released_fold


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("morphology", help="fit or examine what describes a cell")
    command.set_defaults(run=_run)
    add_data_options(command)
    command.add_argument("step", choices=("train", "evaluate"))
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")


def _run(options: argparse.Namespace) -> None:
    step = {"train": _train, "evaluate": _evaluate}[options.step]
    step(options, read_spec(options.release))


def _train(options: argparse.Namespace, spec: ReleaseSpec) -> None:
    training, validation = (_read(options, spec, fold) for fold in ("train", "validation"))
    path = options.release / MORPHOLOGY_NAME
    save_heads(fit_heads(training, validation, on_progress=_say), path)
    metrics = {name: each for name, each in spec.metrics.items() if name != "morphology"}
    publish(options.release, replace(spec, morphology_sha256=sha256_of(path), metrics=metrics))
    sys.stdout.write(f"{path}: {path.stat().st_size / 1e3:.0f} kB\n")


def _evaluate(options: argparse.Namespace, spec: ReleaseSpec) -> None:
    heads = read_heads(options.release, spec)
    if heads is None:
        raise DatasetError(f"{options.release} has no heads; `python -m ml morphology train`.")
    training, test = (_read(options, spec, fold) for fold in ("train", "test"))
    found = examine_heads(heads, training, test)
    metrics = {**spec.metrics, "morphology": found}
    publish(options.release, replace(spec, metrics=metrics))
    for row in found:
        sys.stdout.write(_summary(row) + "\n")


def _read(options: argparse.Namespace, spec: ReleaseSpec, fold: str) -> Described:
    records = read_released_fold(spec, fold, options.data)
    attributes = read_attributes(options.data)
    classifier = load_classifier(options.release)
    with tqdm(total=len(records), desc=fold, mininterval=5) as bar:
        return read_described(classifier, records, attributes, on_progress=bar.update)


def _say(name: str) -> None:
    sys.stdout.write(f"fitted {name}\n")
    sys.stdout.flush()


def _summary(row: Mapping[str, Any]) -> str:
    low, high = row["balanced_accuracy_interval_95"]
    return (
        f"{row['name']:26} n={row['n']} accuracy {row['accuracy']['value']:.4f} "
        f"(majority {row['majority']['accuracy']:.4f}, by class {row['by_class']['accuracy']:.4f})"
        f" balanced {row['balanced_accuracy']:.4f} ({low:.4f} to {high:.4f}, by class "
        f"{row['by_class']['balanced']:.4f}) ECE {row['ece']:.4f} stated "
        f"{row['stated']['value']:.3f} right {row['accuracy_of_stated']['value'] or 0.0:.4f}"
    )
