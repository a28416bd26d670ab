"""Fit a release's novelty statistics on the cells that its network learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.augmentation import augment
from ml.engine import Engine, open_engine
from ml.folds import Fold
from ml.novelty import EXAMPLES, NoveltyStatistics, fit
from ml.preprocessing import normalise, to_view

_SEED: Final = 20260101

View = NDArray[np.uint8]


def read_views(
    engine: Engine, make: Callable[[int], View], numbers: Sequence[int], *, workers: int = 2
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits float32[N, C] and features float32[N, K] of the views `make` gives by number."""
    with ThreadPoolExecutor(workers) as pool:
        outputs = list(pool.map(lambda number: engine.run(normalise(make(number))), numbers))
    logits = np.stack([output.logits for output in outputs])
    return logits, np.stack([output.features for output in outputs])


def fit_release(
    release_dir: Path, training: Fold, validation: Fold, *, keys: Sequence[str]
) -> NoveltyStatistics:
    """Fit on each training cell as it is and in one random view, so that strangers are no novelty.

    `keys` name the training cells, in the fold's order. Labels count the release's classes.
    """
    spec, engine = open_engine(release_dir)
    size = spec.input_size
    everything = range(len(training.labels))
    _, plain = read_views(engine, lambda number: plain_view(training, number, size), everything)
    _, varied = read_views(engine, lambda number: varied_view(training, number, size), everything)
    _, scaling = read_views(
        engine, lambda number: plain_view(validation, number, size), range(len(validation.labels))
    )
    shown = choose_examples(training.labels, EXAMPLES)
    return fit(
        np.concatenate([plain, varied]),
        scaling,
        examples=plain[shown],
        example_labels=training.labels[shown],
        example_keys=np.asarray(keys, dtype=np.str_)[shown],
    )


def choose_examples(labels: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Numbers of up to `most` cells, as many of each class as there are, in the fold's order."""
    rng = np.random.default_rng(_SEED)
    classes = np.unique(labels)
    each = most // len(classes)
    chosen = [rng.permutation(np.flatnonzero(labels == label))[:each] for label in classes]
    return np.sort(np.concatenate(chosen))


def plain_view(fold: Fold, number: int, size: int) -> View:
    """The view uint8[size, size, 3] of a cell of the fold, as in serving."""
    return to_view(fold.pixels[number], size)


def varied_view(fold: Fold, number: int, size: int) -> View:
    """The same cell as another laboratory might show it; always the same for a number."""
    rng = np.random.default_rng([_SEED, number])
    other = int(rng.integers(len(fold.labels)))
    return augment(fold.pixels[number], fold.nuclei[number], fold.pixels[other], size, rng)
