"""Read folds with a network as it will serve: a first look, and a closer one where in doubt."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from ml.calibration import fit_temperature, referral_threshold, softmax
from ml.folds import Fold
from ml.looks import CloserLook
from ml.training import TrainingPlan, predict_logits


def fit_closer_look(model: keras.Model, plan: TrainingPlan, validation: Fold) -> CloserLook | None:
    """What the first look alone would refer gets a closer one; None if the plan has no such look.

    Calibrated on the validation fold, as the release's own referral is afterwards.
    """
    if plan.closer_size is None:
        return None
    first = predict_logits(model, validation.views(plan.input_size))
    temperature = round(fit_temperature(first, validation.labels), 4)
    below = referral_threshold(softmax(first, temperature), validation.labels)
    return CloserLook(size=plan.closer_size, temperature=temperature, below=below)


def read_fold(
    model: keras.Model, fold: Fold, input_size: int, closer: CloserLook | None
) -> NDArray[np.float32]:
    """Logits float32[N, C] of a fold's cells, by a network of any size."""
    logits = predict_logits(model, fold.views(input_size))
    if closer is None:
        return logits
    wanted = np.flatnonzero(closer.is_wanted(logits))
    if len(wanted):
        again = Fold(fold.pixels[wanted], fold.labels[wanted]).views(closer.size)
        logits[wanted] = (logits[wanted] + predict_logits(model, again)) / 2
    return logits
