"""Train the detector in two phases, decoder first, then everything; stops and resumes cleanly."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from tqdm import tqdm

from ml.averaging import SHARE, MovingAverage
from ml.detection.candidates import Candidates, keep_one_each
from ml.detection.decoding import decode
from ml.detection.feeding import view_batches
from ml.detection.losses import box_loss, heat_loss
from ml.detection.matching import FLOOR, average_precision, match
from ml.detection.network import HEAT, SHAPES, build_detector, set_backbone_trainable
from ml.detection.objects import KINDS, RED_CELL
from ml.detection.tiling import ScaledField, Tile
from ml.detection.views import LoadedField
from ml.logbook import log_scalars
from ml.progress import Progress, load_progress, save_progress
from ml.schedule import warm_cosine
from ml.training import AVERAGE_NAME, BEST_NAME

logger = logging.getLogger(__name__)

_BOX_SHARE: Final = 5.0
"""Weight of the boxes' loss beside the peaks', as in Liu et al., AAAI 2020."""


@dataclass(frozen=True, slots=True)
class DetectorPlan:
    """Everything that decides a run; written beside its checkpoints."""

    seed: int = 20260101
    view_size: int = 192
    """Side of the views in pixels, a multiple of 32; a BCCD field is 250 x 190 at this scale."""
    batch_size: int = 16
    head_epochs: int = 1
    epochs: int = 100
    """All epochs, those with the backbone frozen included."""
    head_rate: float = 1e-3
    peak_rate: float = 1e-3
    weight_decay: float = 1e-4
    patience: int = 100

    def __post_init__(self) -> None:
        if self.view_size % 32:
            raise ValueError(f"The side of a view is a multiple of 32, not {self.view_size}.")


def train_detector(
    plan: DetectorPlan,
    *,
    training: Sequence[LoadedField],
    validation: Sequence[LoadedField],
    run_dir: Path,
    backbone_weights: str | None,
) -> keras.Model:
    """Train to the best mean AP50 of the validation fields, resuming what `run_dir` holds."""
    run_dir.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(plan.seed)
    progress = load_progress(run_dir)
    model = _restore(plan, run_dir, progress) or _new_model(plan, backbone_weights)
    average = MovingAverage(model, SHARE)
    if progress.epoch:
        average.load(run_dir / AVERAGE_NAME)
    (run_dir / "plan.json").write_text(json.dumps(asdict(plan), indent=2), encoding="utf-8")
    while progress.epoch < plan.epochs and progress.epoch - progress.best_epoch < plan.patience:
        if progress.epoch == plan.head_epochs:
            _free_everything(model, plan, len(training))
        losses = _train_one_epoch(model, average, plan, training, progress.epoch)
        with average.in_place():
            _score_epoch(model, validation, losses, progress, run_dir)
        model.save(run_dir / "last.keras")
        average.save(run_dir / AVERAGE_NAME)
        save_progress(run_dir, progress)
    return load_best_detector(run_dir)


def read_detector_plan(run_dir: Path) -> DetectorPlan:
    """The plan of the run in a folder; raises OSError if there is none."""
    return DetectorPlan(**json.loads((run_dir / "plan.json").read_text(encoding="utf-8")))


def load_best_detector(run_dir: Path) -> keras.Model:
    """The network with the weights of the best epoch so far."""
    model = build_detector()
    model.load_weights(run_dir / BEST_NAME)
    return model


def find_at_scale(model: keras.Model, fields: Sequence[LoadedField]) -> list[Candidates]:
    """What the Keras network finds in fields whose scale is known, in pixels of each field."""
    scaled = (ScaledField(field.pixels, RED_CELL / field.red_cell) for field in fields)
    return [_find(model, each) for each in scaled]


def truth_of(fields: Sequence[LoadedField]) -> list[Candidates]:
    """The true boxes of fields, in the form that `match` takes."""
    return [
        Candidates(each.boxes, each.kinds, np.ones(len(each.kinds), np.float32)) for each in fields
    ]


def _find(model: keras.Model, scaled: ScaledField) -> Candidates:
    side = -(-max(scaled.width, scaled.height) // 64) * 64  # few sizes, each traced once
    view = scaled.view(Tile(0, 0, side, (0, 0, side, side)))
    outputs = model.predict_on_batch(view[np.newaxis])
    found = decode(outputs[HEAT][0], outputs[SHAPES][0], floor=FLOOR)
    return scaled.to_field(keep_one_each(found))


def _new_model(plan: DetectorPlan, backbone_weights: str | None) -> keras.Model:
    model = build_detector(backbone_weights=backbone_weights)
    set_backbone_trainable(model, trainable=False)
    _compile(model, keras.optimizers.Adam(plan.head_rate))
    return model


def _free_everything(model: keras.Model, plan: DetectorPlan, fields: int) -> None:
    batches = -(-fields // plan.batch_size)
    schedule = warm_cosine(plan.peak_rate, batches * max(1, plan.epochs - plan.head_epochs))
    set_backbone_trainable(model, trainable=True)
    _compile(model, keras.optimizers.AdamW(schedule, weight_decay=plan.weight_decay, clipnorm=5.0))


def _compile(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    model.compile(
        optimizer=optimizer,
        loss={HEAT: heat_loss, SHAPES: box_loss},
        loss_weights={HEAT: 1.0, SHAPES: _BOX_SHARE},
        jit_compile=False,
    )


def _train_one_epoch(
    model: keras.Model,
    average: MovingAverage,
    plan: DetectorPlan,
    fields: Sequence[LoadedField],
    epoch: int,
) -> dict[str, float]:
    """Show one view of each field; returns the mean losses."""
    batches = view_batches(
        fields, size=plan.view_size, batch_size=plan.batch_size, seed=plan.seed, epoch=epoch
    )
    total = -(-len(fields) // plan.batch_size)
    model.reset_metrics()
    logs: dict[str, Any] = {}
    with tqdm(batches, total=total, desc=f"epoch {epoch + 1}/{plan.epochs}", mininterval=5) as bar:
        for views, truth in bar:
            logs = model.train_on_batch(views, truth, return_dict=True)
            average.update()
            bar.set_postfix(loss=f"{logs['loss']:.3f}")
    return {name: float(value) for name, value in logs.items()}


def _score_epoch(
    model: keras.Model,
    validation: Sequence[LoadedField],
    losses: dict[str, float],
    progress: Progress,
    run_dir: Path,
) -> None:
    """Keep the weights when the mean average precision at an overlap of one half is the best."""
    matches = match(truth_of(validation), find_at_scale(model, validation))
    precision = [float(average_precision(each)[0]) for each in matches]
    figures = {f"ap50_{kind}": value for kind, value in zip(KINDS, precision, strict=True)}
    score = float(np.nanmean(precision))
    progress.epoch += 1
    figures = {**losses, **figures, "ap50": score}
    progress.history.append({"epoch": progress.epoch, **figures})
    logger.info("epoch %d: validation %s", progress.epoch, figures)
    log_scalars(run_dir, figures, step=progress.epoch)
    if score > progress.best_score:
        progress.best_score, progress.best_epoch = score, progress.epoch
        model.save_weights(run_dir / BEST_NAME)


def _restore(plan: DetectorPlan, run_dir: Path, progress: Progress) -> keras.Model | None:
    """Reload the last whole epoch with its optimiser, if this very plan was interrupted."""
    if progress.epoch == 0:
        return None
    if read_detector_plan(run_dir) != plan:
        raise ValueError(f"{run_dir} holds a run with another plan; choose another folder.")
    logger.info("resuming after epoch %d of %d", progress.epoch, plan.epochs)
    return keras.models.load_model(run_dir / "last.keras")
