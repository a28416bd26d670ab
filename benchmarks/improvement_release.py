"""A release whose head never learned one class: what a laboratory's cells can plainly improve."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.retraining import UNSEEN, limited
from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.commands.inputs import add_data_options
from ml.data.records import Record, fingerprint
from ml.head_fitting import DenseLayer
from ml.novelty import NoveltyStatistics
from ml.recalibrating import replay_of
from ml.retraining import Material, gather, make_release
from ml.sources import PBC, read_source
from ml.training_sets import TrainingSet

MOST = 150
"""Cells of each class of PBC's training fold, which the backbone learned from anyhow."""

VERSION = "1.3.0-without-basophils"


def main() -> None:
    """Write the release: the shipped backbone, and a head fitted from nothing without UNSEEN."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    seed = read_spec(DEFAULT_RELEASE).training["seed"]
    fold = read_source(PBC, options.data, seed=seed)["train"]
    records = [each for each in limited(fold, MOST) if each.label != UNSEEN]
    make_release(
        _material(records),
        TrainingSet(
            "PBC's training fold", "without basophils", "CC BY 4.0", fingerprint(records), ()
        ),
        DEFAULT_RELEASE,
        options.out,
        version=VERSION,
    )


def _material(records: Sequence[Record]) -> Material:
    """The shipped release, as if it had no head, and kept no cell of UNSEEN."""
    found = gather(DEFAULT_RELEASE, records)
    number = found.spec.class_names.index(UNSEEN)
    statistics = _without(found.statistics, number)
    nothing = DenseLayer(np.zeros_like(found.former.kernel), np.zeros_like(found.former.bias))
    return replace(found, former=nothing, statistics=statistics, replay=replay_of(statistics))


def _without(statistics: NoveltyStatistics, number: int) -> NoveltyStatistics:
    kept = statistics.example_labels != number
    return replace(
        statistics,
        examples=statistics.examples[kept],
        example_labels=statistics.example_labels[kept],
        example_keys=statistics.example_keys[kept],
    )


if __name__ == "__main__":
    main()
