"""Examine every cell of a small image set by a network that learned from the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ml.calibration import fit_temperature, referral_threshold, softmax
from ml.data.pixels import load_pixels
from ml.data.records import Record, labels_of
from ml.data.splits import folds_by_group
from ml.evaluation import MARGINS, examine
from ml.folds import Fold, mix
from ml.preprocessing import CANVAS
from ml.reading import fit_closer_look, read_fold
from ml.training import TrainingPlan, train


@dataclass(frozen=True, slots=True)
class Left:
    """Calibrated probabilities float64[N, C] of cells that a network never saw, by margin."""

    records: Sequence[Record]
    by_margin: dict[float, NDArray[np.float64]]
    is_accepted: dict[float, NDArray[np.bool_]]


def cross_validate(
    plan: TrainingPlan,
    *,
    first: Fold,
    validation: Fold,
    records: Sequence[Record],
    share: float,
    folds: int,
    run_dir: Path,
    load: Callable[[Sequence[Record]], Fold],
    backbone_weights: str | None,
) -> dict[str, Any]:
    """Train once a fold on `first` and the other folds of `records`; figures of all left out.

    Whole groups are dealt. A run that was stopped goes on with the fold that it had reached.
    """
    found = []
    for number, left_out in enumerate(folds_by_group(records, folds, plan.seed)):
        keys = {record.key for record in left_out}
        others = [record for record in records if record.key not in keys]
        model = train(
            plan,
            training=mix(first, [(load(others), share)]),
            validation=validation,
            run_dir=run_dir / f"fold-{number}",
            backbone_weights=backbone_weights,
        )
        found.append(_examine_fold(model, plan, validation, left_out))
    return _pool(plan, found)


def _examine_fold(
    model: keras.Model, plan: TrainingPlan, validation: Fold, left_out: Sequence[Record]
) -> Left:
    """Calibrate as a release is, on validation; then look at the cells left out."""
    closer = fit_closer_look(model, plan, validation)
    logits = read_fold(model, validation, plan.input_size, closer)
    temperature = fit_temperature(logits, validation.labels)
    threshold = referral_threshold(softmax(logits, temperature), validation.labels)
    by_margin = {}
    for margin in MARGINS:
        pixels = load_pixels(left_out, CANVAS, margin=margin)
        cells = Fold(pixels, labels_of(left_out, plan.class_names))
        by_margin[margin] = softmax(read_fold(model, cells, plan.input_size, closer), temperature)
    accepted = {margin: found.max(axis=1) >= threshold for margin, found in by_margin.items()}
    return Left(left_out, by_margin, accepted)


def _pool(plan: TrainingPlan, folds: Sequence[Left]) -> dict[str, Any]:
    """Figures over the cells of all folds, each examined once; and every cell's probabilities."""
    records = [record for left in folds for record in left.records]
    truth = labels_of(records, plan.class_names)
    figures, cells = (
        {},
        [{"key": each.key, "group": each.group, "label": each.label} for each in records],
    )
    pooled: dict[str, Any] = {}
    for margin in MARGINS:
        found = np.concatenate([left.by_margin[margin] for left in folds])
        is_accepted = np.concatenate([left.is_accepted[margin] for left in folds])
        examined = examine(found, truth, plan.class_names, is_accepted=is_accepted)
        figures[str(margin)] = examined.as_dict()
        pooled[str(margin)] = found.round(5).tolist()
    return {
        "class_names": list(plan.class_names),
        "folds": len(folds),
        "margins": figures,
        "cells": cells,
        "probabilities": pooled,
    }
