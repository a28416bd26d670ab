"""How often the differential's 95 % intervals hold the truth, by simulated blood and classifiers.

python -m benchmarks.interval_coverage [--slides 500] [--cells 200] [--tested 300]

Each simulated slide has a release of its own: `--tested` cells of each class, answered by the
simulated classifier, are its confusion. Then cells are drawn from the true mix and answered by
it, a share of them is named by a human, and both intervals are made: that of Clopper and
Pearson, which takes every word of the machine for true, and the one that carries its confusion.
The truth is the share in the blood, not on the slide. No images, no network, one core.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifier.counting import clopper_pearson
from classifier.misclassification import Evidence, intervals
from ml.classes import CELL_CLASSES, LEUKOCYTES

Reals = NDArray[np.float64]

MIXES: Final = {
    "normal": (0.600, 0.280, 0.065, 0.028, 0.006, 0.006, 0.005, 0.010),
    "left shift": (0.700, 0.080, 0.050, 0.005, 0.005, 0.120, 0.030, 0.010),
    "lymphocytosis": (0.150, 0.760, 0.040, 0.010, 0.003, 0.010, 0.017, 0.010),
    "eosinophilia": (0.350, 0.200, 0.080, 0.340, 0.010, 0.010, 0.005, 0.005),
}
"""Shares in the blood, in the order of `CELL_CLASSES`."""

LIKE: Final = (
    ("immature_granulocyte", "neutrophil", 2.0),
    ("neutrophil", "immature_granulocyte", 1.5),
    ("monocyte", "lymphocyte", 1.0),
    ("monocyte", "immature_granulocyte", 1.0),
    ("lymphocyte", "monocyte", 0.7),
    ("lymphocyte", "erythroblast", 0.5),
    ("erythroblast", "lymphocyte", 1.0),
    ("basophil", "neutrophil", 1.0),
    ("basophil", "immature_granulocyte", 0.7),
    ("eosinophil", "neutrophil", 0.8),
    ("platelet", "lymphocyte", 0.2),
)
"""Which class is taken for which, and how readily: times the error of the classifier."""

ERRORS: Final = {"slight": 0.01, "moderate": 0.04, "strong": 0.12}
CONFIRMED: Final = (0.0, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Setting:
    """One simulated situation: blood, classifier and reader.

    ``error`` is the classifier's in the release's test and ``error_here`` at the laboratory.
    A reader names ``confirmed`` of the cells at random, and besides ``corrected`` of those that
    the machine misnamed, leaving the right ones alone.
    """

    mix: str
    error: float
    error_here: float
    confirmed: float
    corrected: float = 0.0
    cells: int = 200
    tested: int = 300


@dataclass(frozen=True, slots=True)
class Tally:
    """Of all slides and classes: share that holds the truth, the worst class's, mean width."""

    plain: tuple[float, float, float]
    carrying: tuple[float, float, float]


def confusion(error: float) -> Reals:
    """The chance of each word by true class: float64[8, 8], rows summing to 1."""
    answers = np.eye(len(CELL_CLASSES))
    for true, word, readiness in LIKE:
        answers[CELL_CLASSES.index(true), CELL_CLASSES.index(word)] = readiness * error
    np.fill_diagonal(answers, 0.0)
    np.fill_diagonal(answers, 1.0 - answers.sum(1))
    return answers


def simulate_slide(setting: Setting, chance: np.random.Generator) -> Evidence:
    """What machine and reader leave of one slide, with the confusion of the machine's release."""
    size = len(CELL_CLASSES)
    tested = chance.multinomial(setting.tested, confusion(setting.error))
    true = chance.choice(size, setting.cells, p=MIXES[setting.mix])
    edges = confusion(setting.error_here).cumsum(1)
    said = (chance.random(setting.cells)[:, None] > edges[true]).sum(1).clip(max=size - 1)
    wrong = true != said
    looked = chance.random(setting.cells) < setting.confirmed
    looked |= wrong & (chance.random(setting.cells) < setting.corrected)
    names = np.array(CELL_CLASSES)
    pairs = zip(names[true[looked]].tolist(), names[said[looked]].tolist(), strict=True)
    return Evidence(
        class_names=CELL_CLASSES,
        confusion=tuple(map(tuple, tested.tolist())),
        unconfirmed=Counter(names[said[~looked]].tolist()),
        named=Counter(pairs),
        known=Counter(names[true[looked]].tolist()),
    )


def simulate(setting: Setting, *, slides: int, seed: int = 0) -> Tally:
    """Coverage and mean width of both intervals over simulated slides and all leukocytes."""
    chance = np.random.default_rng(seed)
    truth = np.array(MIXES[setting.mix][: len(LEUKOCYTES)])
    truth = truth / truth.sum()
    found = [_limits(simulate_slide(setting, chance)) for _ in range(slides)]
    limits = np.array(found)  # slide, method, class, end
    held = (limits[..., 0] <= truth) & (truth <= limits[..., 1])
    width = (limits[..., 1] - limits[..., 0]).mean((0, 2))
    share = held.mean((0, 2)), held.mean(0).min(1)
    plain, carrying = (
        (float(share[0][way]), float(share[1][way]), float(width[way])) for way in (0, 1)
    )
    return Tally(plain, carrying)


def _limits(seen: Evidence) -> list[list[tuple[float, float]]]:
    counts = Counter(seen.known) + Counter(seen.unconfirmed)
    total = sum(counts[name] for name in LEUKOCYTES)
    carrying = intervals(seen, LEUKOCYTES)
    return [
        [clopper_pearson(counts[name], total) for name in LEUKOCYTES],
        [carrying[name] for name in LEUKOCYTES],
    ]


def settings(cells: int, tested: int) -> Iterator[tuple[str, Setting]]:
    """The situations of the table: as in the release's test, shifted, and read one-sidedly."""
    size = {"cells": cells, "tested": tested}
    for mix, (name, error), share in product(MIXES, ERRORS.items(), CONFIRMED):
        yield name, Setting(mix, error, error, share, **size)
    for mix, share in product(MIXES, CONFIRMED):
        yield (
            "slight, here moderate",
            Setting(mix, ERRORS["slight"], ERRORS["moderate"], share, **size),
        )
        yield (
            "moderate, here strong",
            Setting(mix, ERRORS["moderate"], ERRORS["strong"], share, **size),
        )
    for mix, (name, error) in product(MIXES, ERRORS.items()):
        yield f"{name}, 80 % of errors corrected", Setting(mix, error, error, 0.0, 0.8, **size)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=int, default=500)
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--tested", type=int, default=300)
    options = parser.parse_args()
    write = sys.stdout.write
    write("| Blood | Confusion | Named | Sampling only | | | With confusion | | |\n")
    write("|---|---|---:|---:|---:|---:|---:|---:|---:|\n")
    write("| | | % | held, % | worst class | width | held, % | worst class | width |\n")
    for name, setting in settings(options.cells, options.tested):
        tally = simulate(setting, slides=options.slides)
        figures = " | ".join(f"{100 * value:.1f}" for value in (*tally.plain, *tally.carrying))
        write(f"| {setting.mix} | {name} | {100 * setting.confirmed:.0f} | {figures} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
