"""The learning rate of a run: a short warm-up, then a cosine down to nearly nothing."""

from __future__ import annotations

import keras


def warm_cosine(peak_rate: float, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Rise to `peak_rate` in a tenth of the steps, 200 at most; then fall (Loshchilov 2017)."""
    warm_up = min(200, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak_rate / 20,
        decay_steps=max(1, steps - warm_up),
        warmup_target=peak_rate,
        warmup_steps=warm_up,
        alpha=0.01,
    )
