"""Make a release of a finished run: thresholds from validation, then one examination on test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import keras
from tqdm import tqdm

from ml.artifacts import CARD_NAME, SUMMARY_NAME, WEIGHTS_NAME, sha256_of, write_spec
from ml.detection.artifact import DetectorSpec, verify_detector
from ml.detection.card import render_detector_card
from ml.detection.evaluation import (
    ExaminedField,
    choose_thresholds,
    examine_fields,
    figures_by_source,
)
from ml.detection.fields import AnnotatedField
from ml.detection.inference import FieldDetector, open_network
from ml.detection.network import ARCHITECTURE, HEAT, SHAPES, build_detector
from ml.detection.objects import KINDS, RED_CELL, STRIDE
from ml.detection.tiling import SMALL_TILE
from ml.detection.training import load_best_detector, read_detector_plan
from ml.errors import ArtifactError
from ml.exporting import convert, write_served
from ml.progress import load_progress
from ml.releasing import save_summary

_ANY: Final[Mapping[str, float]] = dict.fromkeys(KINDS, 0.5)
"""Thresholds of a detector that is only examined, which reads all candidates."""


def make_detector_release(
    run_dir: Path,
    release_dir: Path,
    *,
    name: str,
    version: str,
    validation: Sequence[AnnotatedField],
    test: Sequence[AnnotatedField],
    data: Mapping[str, Any],
    command: str,
) -> DetectorSpec:
    """Write weights, serving form, spec and card of the run's best epoch into `release_dir`."""
    plan, progress = read_detector_plan(run_dir), load_progress(run_dir)
    model = load_best_detector(run_dir)
    served = convert_detector(model)
    thresholds, metrics = _examine(served, validation, test)
    release_dir.mkdir(parents=True, exist_ok=True)
    model.save_weights(release_dir / WEIGHTS_NAME)
    save_summary(model, release_dir / SUMMARY_NAME)
    spec = DetectorSpec(
        name=name,
        version=version,
        architecture=ARCHITECTURE,
        kinds=KINDS,
        stride=STRIDE,
        red_cell=RED_CELL,
        sha256=sha256_of(release_dir / WEIGHTS_NAME),
        thresholds=thresholds,
        metrics=metrics,
        data=data,
        training={
            "command": command,
            "seed": plan.seed,
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch,
            "history": progress.history,
        },
    )
    write_served(release_dir, served, spec.sha256)
    write_spec(release_dir, spec)
    (release_dir / CARD_NAME).write_text(render_detector_card(spec), encoding="utf-8")
    return spec


def load_detector_model(release_dir: Path) -> keras.Model:
    """Verify a release and restore its Keras network; ArtifactError if it isn't what it says."""
    verify_detector(release_dir)
    model = build_detector()
    try:
        model.load_weights(release_dir / WEIGHTS_NAME)
    except (ValueError, OSError, KeyError) as error:
        raise ArtifactError(f"The weights in {release_dir} do not fit the spec: {error}") from error
    return model


def convert_detector(model: keras.Model) -> bytes:
    """The LiteRT file of a network: logits of the peaks first, shapes second."""
    ordered = keras.Model(model.inputs, [model.output[HEAT], model.output[SHAPES]], name="served")
    return convert(ordered, SMALL_TILE)


def _examine(
    served: bytes, validation: Sequence[AnnotatedField], test: Sequence[AnnotatedField]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Thresholds from validation; then the figures of both folds."""
    detector = FieldDetector(open_network(served), _ANY)
    known = _read(detector, validation, "validation")
    thresholds = choose_thresholds(known)
    unknown = _read(detector, test, "test")
    return thresholds, {
        "validation": figures_by_source(known, thresholds),
        "test": figures_by_source(unknown, thresholds),
    }


def _read(
    detector: FieldDetector, fields: Sequence[AnnotatedField], fold: str
) -> list[ExaminedField]:
    with tqdm(total=len(fields), desc=fold, mininterval=5) as bar:
        return examine_fields(detector, fields, on_progress=bar.update)
