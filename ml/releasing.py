"""Make a release of a finished run: calibrate on validation, then examine once on test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from ml.architectures import build
from ml.artifacts import (
    SUMMARY_NAME,
    WEIGHTS_NAME,
    ReleaseSpec,
    read_spec,
    sha256_of,
)
from ml.calibration import fit_temperature, referral_threshold, softmax
from ml.card import publish
from ml.embedding import EMBEDDING_SIZE
from ml.evaluation import examine, examine_strangers
from ml.exporting import export_release
from ml.fingerprints import code_fingerprint
from ml.folds import Fold
from ml.inference import load_classifier
from ml.looks import CloserLook
from ml.novelty import REFERENCE_NAME, save
from ml.novelty_fitting import fit_release
from ml.preprocessing import PREPROCESSING
from ml.reading import fit_closer_look, read_fold
from ml.training import TrainingPlan, load_best, read_plan


def make_release(
    run_dir: Path,
    release_dir: Path,
    *,
    name: str,
    version: str,
    validation: Fold,
    test: Fold,
    data: Mapping[str, Any],
    command: str,
) -> ReleaseSpec:
    """Write weights, spec and card of the run's best epoch into `release_dir`."""
    plan = read_plan(run_dir)
    progress = json.loads((run_dir / "progress.json").read_text(encoding="utf-8"))
    model = load_best(plan, run_dir=run_dir)
    calibration, figures = _calibrate_and_examine(model, plan, validation, test)
    release_dir.mkdir(parents=True, exist_ok=True)
    _save_weights(model, plan, release_dir / WEIGHTS_NAME)
    save_summary(model, release_dir / SUMMARY_NAME)
    spec = ReleaseSpec(
        name=name,
        version=version,
        architecture=plan.architecture,
        class_names=plan.class_names,
        input_size=plan.input_size,
        closer=calibration.closer,
        preprocessing=PREPROCESSING,
        sha256=sha256_of(release_dir / WEIGHTS_NAME),
        temperature=calibration.temperature,
        threshold=calibration.threshold,
        metrics=figures,
        data=data,
        training={
            "command": command,
            "seed": plan.seed,
            "input_size": plan.input_size,
            "epochs": progress["epoch"],
            "best_epoch": progress["best_epoch"],
            "history": progress["history"],
        },
        code=code_fingerprint(),
    )
    publish(release_dir, spec)
    export_release(release_dir)
    return spec


def add_reference(
    release_dir: Path, *, training: Fold, validation: Fold, keys: Sequence[str]
) -> ReleaseSpec:
    """Fit what tells odd cells from those learned, on the network as it serves; see ml/novelty.py.

    `keys` name the training cells in the fold's order: some are kept to be shown beside new cells.
    """
    path = release_dir / REFERENCE_NAME
    save(fit_release(release_dir, training, validation, keys=keys), path)
    spec = replace(
        read_spec(release_dir), reference_sha256=sha256_of(path), embedding=EMBEDDING_SIZE
    )
    publish(release_dir, spec)
    return spec


def add_strangers(release_dir: Path, data_dir: Path) -> ReleaseSpec:
    """Examine the release, as it serves, on BCCD, which it never saw, and write that down too."""
    scores = examine_strangers(load_classifier(release_dir), data_dir)
    return add_figures(release_dir, {"strangers": [score.as_dict() for score in scores]})


def add_figures(release_dir: Path, figures: Mapping[str, Any]) -> ReleaseSpec:
    """Write figures into the spec, over those of the same name, and the card anew."""
    spec = read_spec(release_dir)
    spec = replace(spec, metrics={**spec.metrics, **figures})
    publish(release_dir, spec)
    return spec


@dataclass(frozen=True, slots=True)
class _Calibration:
    closer: CloserLook | None
    temperature: float
    threshold: float


def _calibrate_and_examine(
    model: keras.Model, plan: TrainingPlan, validation: Fold, test: Fold
) -> tuple[_Calibration, dict[str, Any]]:
    """Looks, temperature and threshold from validation; then the figures of both folds."""
    closer = fit_closer_look(model, plan, validation)
    logits = read_fold(model, validation, plan.input_size, closer)
    temperature = round(fit_temperature(logits, validation.labels), 4)
    calibrated = softmax(logits, temperature)
    threshold = referral_threshold(calibrated, validation.labels)
    examined = softmax(read_fold(model, test, plan.input_size, closer), temperature)
    figures = {}
    for fold, found, truth in (
        ("validation", calibrated, validation.labels),
        ("test", examined, test.labels),
    ):
        is_accepted = found.max(axis=1) >= threshold
        figures[fold] = examine(found, truth, plan.class_names, is_accepted=is_accepted).as_dict()
    return _Calibration(closer, temperature, threshold), figures


def save_summary(model: keras.Model, path: Path) -> None:
    """Write the table of layers, shapes and parameters that Keras prints."""
    lines: list[str] = []
    model.summary(print_fn=lines.append, line_length=110)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _save_weights(model: keras.Model, plan: TrainingPlan, path: Path) -> None:
    """Save from a network that was never compiled, as an optimiser would treble the file."""
    bare = build(plan.architecture, input_size=model.input_shape[1], classes=len(plan.class_names))
    bare.set_weights(model.get_weights())
    bare.save_weights(path)
