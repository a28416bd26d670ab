"""Fine-tune a network in two phases, head first, then everything; stops and resumes cleanly."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tqdm import tqdm

from ml.architectures import HEAD, build, set_backbone_trainable
from ml.averaging import SHARE, MovingAverage
from ml.classes import CELL_CLASSES
from ml.errors import DatasetError
from ml.feeding import augmented_batches
from ml.folds import Fold
from ml.logbook import log_scalars
from ml.preprocessing import normalise
from ml.progress import Progress, load_progress, save_progress
from ml.schedule import warm_cosine
from ml.sources import PBC

logger = logging.getLogger(__name__)

AVERAGE_NAME: Final = "average.npz"
BEST_NAME: Final = "best.weights.h5"


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Everything that decides a run; written beside its checkpoints."""

    architecture: str = "mobilenet_v2"
    input_size: int = 96
    closer_size: int | None = None
    """Side of the closer look that every second batch is of; None for one look alone."""
    seed: int = 20260101
    batch_size: int = 32
    head_epochs: int = 1
    epochs: int = 16
    """All epochs, those of the head included."""
    head_rate: float = 1e-3
    peak_rate: float = 4e-4
    weight_decay: float = 1e-4
    label_smoothing: float = 0.05
    dropout: float = 0.3
    patience: int = 16
    class_names: tuple[str, ...] = CELL_CLASSES
    start: str | None = None
    """Folder of the finished run whose weights this one starts from; None for ImageNet's."""
    source: str = PBC
    """Image set that every epoch shows once: its name, or the folder of its catalogue."""
    mixed: Mapping[str, float] = field(default_factory=dict)
    """Further image sets, and their shares of all views."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides of the views that the network learns to read."""
        return (self.input_size, *filter(None, [self.closer_size]))

    @property
    def built_size(self) -> int | None:
        """Side that the network is built for; None, for any, if it looks at several."""
        return self.input_size if self.closer_size is None else None


def train(
    plan: TrainingPlan,
    *,
    training: Fold,
    validation: Fold,
    run_dir: Path,
    backbone_weights: str | None,
) -> keras.Model:
    """Train to the best balanced validation accuracy, resuming what `run_dir` holds.

    Labels count the plan's class names. `backbone_weights` serve where the plan names no start.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(plan.seed)
    progress = load_progress(run_dir)
    model = _restore(plan, run_dir, progress, training)
    if model is None:
        model = _new_model(plan, backbone_weights)
    average = MovingAverage(model, SHARE)
    if progress.epoch:
        average.load(run_dir / AVERAGE_NAME)
    (run_dir / "plan.json").write_text(json.dumps(asdict(plan), indent=2), encoding="utf-8")
    looks = [validation.views(size) for size in plan.sizes]
    while progress.epoch < plan.epochs and not _is_stuck(progress, plan):
        if progress.epoch == plan.head_epochs:
            _free_everything(model, plan, training)
        loss = _train_one_epoch(model, average, plan, training, progress.epoch)
        with average.in_place():
            _score_epoch(model, looks, validation.labels, loss, progress, run_dir)
        model.save(run_dir / "last.keras")
        average.save(run_dir / AVERAGE_NAME)
        save_progress(run_dir, progress)
    return load_best(plan, run_dir=run_dir)


def read_plan(run_dir: Path) -> TrainingPlan:
    """The plan of the run in a folder; raises OSError if there is none."""
    fields = json.loads((run_dir / "plan.json").read_text(encoding="utf-8"))
    names = fields.get("class_names", CELL_CLASSES)
    return TrainingPlan(**{**fields, "class_names": tuple(names)})


def load_best(plan: TrainingPlan, *, run_dir: Path) -> keras.Model:
    """Build the plan's network with the weights of the best epoch so far."""
    model = build(plan.architecture, input_size=plan.built_size, classes=len(plan.class_names))
    model.load_weights(run_dir / BEST_NAME)
    return model


def predict_logits(
    model: keras.Model, pixels: NDArray[np.uint8], *, batch_size: int = 64
) -> NDArray[np.float32]:
    """Run uint8[N, S, S, 3] images of the network's size; logits float32[N, classes]."""
    step = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
    parts = []
    for start in range(0, len(pixels), batch_size):
        views = normalise(pixels[start : start + batch_size])
        parts.append(step(tf.constant(views)).numpy())
    return np.concatenate(parts)


def _new_model(plan: TrainingPlan, backbone_weights: str | None) -> keras.Model:
    model = build(
        plan.architecture,
        input_size=plan.built_size,
        classes=len(plan.class_names),
        dropout=plan.dropout,
        backbone_weights=None if plan.start else backbone_weights,
    )
    if plan.start:
        _take_over(model, plan, Path(plan.start))
    set_backbone_trainable(model, trainable=False)
    _compile(model, plan, keras.optimizers.Adam(plan.head_rate))
    return model


def _take_over(model: keras.Model, plan: TrainingPlan, run_dir: Path) -> None:
    """Start from another run, of the same architecture; of its head, the classes in common."""
    earlier_plan = read_plan(run_dir)
    if not set(plan.class_names) <= set(earlier_plan.class_names):
        raise DatasetError(f"The run in {run_dir} knows fewer classes than are asked for.")
    earlier = load_best(earlier_plan, run_dir=run_dir)
    kernel, bias = earlier.get_layer(HEAD).get_weights()
    chosen = [earlier_plan.class_names.index(name) for name in plan.class_names]
    for mine, theirs in zip(model.layers, earlier.layers, strict=True):
        if mine.name != HEAD:
            mine.set_weights(theirs.get_weights())
    model.get_layer(HEAD).set_weights([kernel[:, chosen], bias[chosen]])


def _free_everything(model: keras.Model, plan: TrainingPlan, training: Fold) -> None:
    """Start the second phase: all layers, a short warm-up, then a cosine down to nothing."""
    batches = -(-training.views_an_epoch // plan.batch_size)
    schedule = warm_cosine(plan.peak_rate, batches * max(1, plan.epochs - plan.head_epochs))
    set_backbone_trainable(model, trainable=True)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=plan.weight_decay, clipnorm=1.0)
    _compile(model, plan, optimizer)


def _compile(model: keras.Model, plan: TrainingPlan, optimizer: keras.optimizers.Optimizer) -> None:
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=plan.label_smoothing
    )
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], jit_compile=False)


def _train_one_epoch(
    model: keras.Model, average: MovingAverage, plan: TrainingPlan, fold: Fold, epoch: int
) -> float:
    """Show one epoch of views; returns the mean loss."""
    batches = augmented_batches(
        fold,
        plan.class_names,
        sizes=plan.sizes,
        batch_size=plan.batch_size,
        seed=plan.seed,
        epoch=epoch,
    )
    total = -(-fold.views_an_epoch // plan.batch_size)
    model.reset_metrics()
    logs: dict[str, Any] = {}
    with tqdm(batches, total=total, desc=f"epoch {epoch + 1}/{plan.epochs}", mininterval=5) as bar:
        for images, targets, weights in bar:
            logs = model.train_on_batch(images, targets, sample_weight=weights, return_dict=True)
            average.update()
            bar.set_postfix(loss=f"{logs['loss']:.3f}", accuracy=f"{logs['accuracy']:.3f}")
    return float(logs["loss"])


def _score_epoch(
    model: keras.Model,
    looks: Sequence[NDArray[np.uint8]],
    labels: NDArray[np.int64],
    training_loss: float,
    progress: Progress,
    run_dir: Path,
) -> None:
    """Keep the weights when the mean recall over the classes is the best so far."""
    logits = np.mean([predict_logits(model, views) for views in looks], axis=0)
    correct = logits.argmax(axis=1) == labels
    score = float(np.mean([correct[labels == label].mean() for label in np.unique(labels)]))
    figures = {"accuracy": float(correct.mean()), "balanced_accuracy": score}
    progress.epoch += 1
    progress.history.append({"epoch": progress.epoch, "training_loss": training_loss, **figures})
    logger.info("epoch %d: validation %s", progress.epoch, figures)
    log_scalars(run_dir, {"loss": training_loss, **figures}, step=progress.epoch)
    if score > progress.best_score:
        progress.best_score, progress.best_epoch = score, progress.epoch
        model.save_weights(run_dir / BEST_NAME)


def _is_stuck(progress: Progress, plan: TrainingPlan) -> bool:
    return progress.epoch - progress.best_epoch >= plan.patience


def _restore(
    plan: TrainingPlan, run_dir: Path, progress: Progress, training: Fold
) -> keras.Model | None:
    """Reload the last whole epoch with its optimiser, if this very plan was interrupted."""
    if progress.epoch == 0:
        return None
    if read_plan(run_dir) != plan:
        raise ValueError(f"{run_dir} holds a run with another plan; choose another folder.")
    views = training.views_an_epoch
    logger.info("resuming after epoch %d of %d (%d views)", progress.epoch, plan.epochs, views)
    return keras.models.load_model(run_dir / "last.keras")
