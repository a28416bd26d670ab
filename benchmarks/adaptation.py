"""What adapting to a new laboratory gives, by how many of its cells are reviewed.

python -m benchmarks.adaptation --cache FOLDER [--data FOLDER] [--release FOLDER] [--draws N]
    [--pbc-only WEIGHTS]

For each number of cells, whole groups are drawn at random; the release is adapted to them and
examined on the laboratory's other groups and at home. Each figure is the mean of the draws and the
middle 95 % of them: what a laboratory may meet, chance in its cells and in those examined included.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.adaptation_labs import SEED, Laboratory, find_laboratories
from benchmarks.adaptation_methods import METHODS
from ml.adapting.examining import Reading, read_unadapted, read_with
from ml.adapting.learning import adapt_head
from ml.artifacts import DEFAULT_RELEASE
from ml.commands.inputs import add_data_options, add_weights_option
from ml.looking import LookedAt
from ml.metrics import expected_calibration_error

SIZES: Final = (50, 100, 200, 400)
_COMPARED: Final = 200
_FEWEST_LEFT: Final = 50
"""Cells that must be left to examine."""

Figures = Mapping[str, float]


def main() -> None:
    """Print the learning curve of every laboratory, then the methods side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    add_weights_option(parser)
    parser.add_argument("--release", type=Path, default=DEFAULT_RELEASE)
    parser.add_argument("--cache", type=Path, required=True, help="keeps what the networks saw")
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--pbc-only", type=Path, help="of a network that never learned from BCCD")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    found = find_laboratories(
        options.release,
        options.data,
        options.weights,
        options.cache,
        pbc_only=options.pbc_only,
    )
    _say("| laboratory | cells | draws | accuracy | balanced | ECE | named | right | home, worst |")
    _say("|---|---|---|---|---|---|---|---|---|")
    for laboratory in found:
        _print_curve(laboratory, options.draws)
    _say("\n| laboratory | method | accuracy | balanced | NLL | home, worst class |")
    _say("|---|---|---|---|---|---|")
    for laboratory in found:
        _print_methods(laboratory, max(2, options.draws // 2))


def _print_curve(laboratory: Laboratory, draws: int) -> None:
    whole = _examine(read_unadapted(laboratory.known, laboratory.cells), laboratory.cells)
    told = " | ".join(f"{whole[name]:.3f}" for name in ("accuracy", "balanced", "ece", "named"))
    _say(f"| {laboratory.name} | 0 | | {told} | {whole['right']:.3f} | |")
    for size in SIZES:
        if size + _FEWEST_LEFT <= len(laboratory.cells):
            rows = [_one_draw(laboratory, size, number) for number in range(draws)]
            names = ("accuracy", "balanced", "ece", "named", "right", "home")
            cells = " | ".join(_spread([row[name] for row in rows]) for name in names)
            _say(f"| {laboratory.name} | {size} | {draws} | {cells} |")


def _one_draw(laboratory: Laboratory, size: int, number: int) -> Figures:
    known = laboratory.known
    mine, others = _draw(laboratory.cells, size, number)
    adapted = adapt_head(known, mine)
    figures = _examine(read_with(known, adapted, others), others)
    before = _recalls(read_unadapted(known, laboratory.home).probabilities, laboratory.home)
    after = _recalls(read_with(known, adapted, laboratory.home).probabilities, laboratory.home)
    return {**figures, "home": float((after - before).min())}


def _draw(cells: LookedAt, size: int, number: int) -> tuple[LookedAt, LookedAt]:
    """So many cells of groups drawn by chance, and the cells of all other groups."""
    rank = np.random.default_rng([SEED, number]).permutation(int(cells.groups.max()) + 1)
    order = np.argsort(rank[cells.groups], kind="stable")
    mine = order[:size]
    is_other = ~np.isin(cells.groups, cells.groups[mine])
    return cells.part(mine), cells.part(is_other)


def _examine(reading: Reading, cells: LookedAt) -> Figures:
    right = reading.probabilities.argmax(axis=1) == cells.labels
    named = reading.is_named
    return {
        "accuracy": float(right.mean()),
        "balanced": float(np.nanmean(_recalls(reading.probabilities, cells))),
        "ece": expected_calibration_error(reading.probabilities, cells.labels),
        "named": float(named.mean()),
        "right": float(right[named].mean()) if named.any() else float("nan"),
    }


def _recalls(probabilities: NDArray[np.float64], cells: LookedAt) -> NDArray[np.float64]:
    """Of the classes that occur, float64[those]."""
    right = probabilities.argmax(axis=1) == cells.labels
    return np.array([right[cells.labels == label].mean() for label in np.unique(cells.labels)])


def _print_methods(laboratory: Laboratory, draws: int) -> None:
    """All methods on the same draws of as many cells."""
    for name, method in METHODS.items():
        rows = []
        for number in range(draws):
            mine, others = _draw(laboratory.cells, _COMPARED, number)
            read = method(laboratory.known, mine)
            found, home = read(others), read(laboratory.home)
            before = read_unadapted(laboratory.known, laboratory.home).probabilities
            lost = _recalls(home, laboratory.home) - _recalls(before, laboratory.home)
            rows.append(
                [
                    (found.argmax(axis=1) == others.labels).mean(),
                    _recalls(found, others).mean(),
                    -np.log(found[np.arange(len(others)), others.labels].clip(1e-12)).mean(),
                    lost.min(),
                ]
            )
        cells = " | ".join(_spread(column) for column in np.array(rows).T)
        _say(f"| {laboratory.name} | {name} | {cells} |")


def _spread(values: Sequence[float] | NDArray[np.float64]) -> str:
    low, high = np.nanquantile(values, [0.025, 0.975])
    return f"{np.nanmean(values):.3f} ({low:.3f} to {high:.3f})"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
