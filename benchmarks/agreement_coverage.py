"""How often the 95 % limits of kappa hold the truth, by simulated readers of simulated cases.

python -m benchmarks.agreement_coverage [--rounds 400]

Cases differ in which classes they hold and in how sure each reader is of them, so that cells of
one case are alike. Three kinds of limits are made of the same cells: leaving out one case at a
time (`quality.agreement`), drawing cases anew (bootstrap, percentiles), and the large-sample
error over cells (Fleiss, Cohen and Everitt, 1969), which takes cells for independent. The truth
is kappa over 20,000 cases. No images, no network, one core.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

import numpy as np

from classifier.agreement import cohen_kappa
from quality.agreement import Reals, figure_of, kappa

MIX: Final = np.array([0.60, 0.25, 0.08, 0.04, 0.03])
SPREAD: Final = 4.0
"""Concentration of the Dirichlet from which a case's classes are drawn; less is more unlike."""
SURENESS: Final = (9.0, 1.0)
"""Beta from which the share of cells that a reader is sure of is drawn, for each case."""
CASES: Final = (5, 10, 20, 40)
CELLS: Final = (20, 100)
DRAWS: Final = 1000
Limits = tuple[float, float]


def read_cases(rng: np.random.Generator, cases: int, cells: int) -> Reals:
    """Return what two readers called the cells of each case, float[cases, K, K]."""
    classes = len(MIX)
    tables = np.zeros((cases, classes, classes))
    for table in tables:
        truth = rng.choice(classes, size=cells, p=rng.dirichlet(MIX * SPREAD))
        said = [
            np.where(
                rng.random(cells) < rng.beta(*SURENESS), truth, rng.choice(classes, cells, p=MIX)
            )
            for _ in range(2)
        ]
        np.add.at(table, (said[0], said[1]), 1)
    return tables


def by_leaving_out(tables: Reals, _rng: np.random.Generator) -> Limits:
    """The limits of the board."""
    found = figure_of(kappa, tables, floor=-1.0)
    assert found is not None and found.low is not None and found.high is not None  # noqa: PT018
    return found.low, found.high


def by_drawing(tables: Reals, rng: np.random.Generator) -> Limits:
    """Percentiles over cases drawn anew."""
    cases = len(tables)
    often = rng.multinomial(cases, np.full(cases, 1 / cases), size=DRAWS)
    drawn = np.tensordot(often, tables, axes=1)
    low, high = np.nanquantile(kappa(drawn), [0.025, 0.975])
    return float(low), float(high)


def over_cells(tables: Reals, _rng: np.random.Generator) -> Limits:
    """The large-sample limits, as if no cells were alike."""
    found = cohen_kappa(tables.sum(0).astype(int).tolist())
    assert found is not None
    return found.low, found.high


WAYS: Final = {
    "leaving out": by_leaving_out,
    "drawing anew": by_drawing,
    "over cells": over_cells,
}


def main() -> int:
    """Print how often each kind of limits held the truth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=400)
    rounds = parser.parse_args().rounds
    rng = np.random.default_rng(1)
    truth = float(kappa(read_cases(rng, 20_000, 50).sum(0)))
    write = sys.stdout.write
    write(f"kappa {truth:.3f}, {rounds} rounds\n")
    write("cases  cells a case " + "".join(f"{name:>14}" for name in WAYS) + "\n")
    for cases in CASES:
        for cells in CELLS:
            held = dict.fromkeys(WAYS, 0)
            for _ in range(rounds):
                tables = read_cases(rng, cases, cells)
                for name, way in WAYS.items():
                    low, high = way(tables, rng)
                    held[name] += low <= truth <= high
            shares = "".join(f"{100 * count / rounds:>12.1f} %" for count in held.values())
            write(f"{cases:>5}  {cells:>12} {shares}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
