"""How well maps of noise do at deletion and insertion: `python -m benchmarks.map_noise`.

A map counts as better than chance if its area differs from that of random orders by more than
noise does: by more than the gain that one random map in twenty reaches.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.data.records import Record
from ml.datasets import read_pbc, split_by_group
from ml.explain.explanation import METHODS, explain
from ml.explain.faithfulness import RANDOM_MAPS, area, delete, insert, random_maps
from ml.explain.network import Network, load_network
from ml.explain.occlusion import Counter, Question
from ml.preprocessing import decode_image

SEED: Final = 20260101
_TESTED: Final = 8
"""Maps of noise held against the mean of `RANDOM_MAPS` others, a cell."""
_QUANTILE: Final = 0.95
_FORMER: Final = 0.02


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the gains that maps of noise reach on validation cells."""
    options = _parse(arguments)
    network = load_network(options.release)
    records = split_by_group(read_pbc(options.data), seed=SEED)["validation"]
    chosen = np.random.default_rng(SEED).choice(len(records), options.cells, replace=False)
    gains = np.concatenate(
        [
            noise_gains(
                network, decode_image(records[index].path.read_bytes()).pixels, seed=int(index)
            )
            for index in chosen
        ],
        axis=1,
    )
    for name, found in zip(("deletion", "insertion"), gains, strict=True):
        sys.stdout.write(_line(name, found))
    sys.stdout.write(f"n = {options.cells} cells, {_TESTED} maps of noise each\n")
    limits = np.quantile(gains, _QUANTILE, axis=1)
    images = [_read(records[index]) for index in chosen[: options.explained]]
    for method in METHODS:
        found = np.array([method_gains(network, image, method) for image in images])
        sys.stdout.write(_method_line(method, found, limits))
    return 0


def _line(name: str, gains: NDArray[np.float64]) -> str:
    low, high = _interval(gains, _TESTED)
    return (
        f"{name:<10} 95 % of noise gain less than {np.quantile(gains, _QUANTILE):.3f}"
        f" ({low:.3f}-{high:.3f}), half less than {np.median(gains):.3f};"
        f" {np.mean(gains >= _FORMER):.0%} gain {_FORMER} and more\n"
    )


def _method_line(method: str, gains: NDArray[np.float64], limits: NDArray[np.float64]) -> str:
    deletion, insertion = gains.mean(axis=0)
    beyond = (gains >= limits).mean(axis=0)
    return (
        f"{method:<10} mean gain {deletion:+.2f} by deletion, {insertion:+.2f} by insertion;"
        f" beyond noise {beyond[0]:.0%} and {beyond[1]:.0%} of {len(gains)}\n"
    )


def noise_gains(network: Network, image: NDArray[np.uint8], *, seed: int) -> NDArray[np.float64]:
    """Gains float64[2, maps] of maps of noise over the mean of others: deletion, insertion."""
    view = network.view(image)
    index = int(network.probabilities(view[None])[0].argmax())
    question = Question(network, view, index, Counter(0))
    maps = random_maps(view.shape[0], RANDOM_MAPS + _TESTED, seed=seed)
    deleted = np.array([area(delete(question, each)) for each in maps])
    inserted = np.array([area(insert(question, each)) for each in maps])
    return np.stack(
        [
            deleted[:RANDOM_MAPS].mean() - deleted[RANDOM_MAPS:],
            inserted[RANDOM_MAPS:] - inserted[:RANDOM_MAPS].mean(),
        ]
    )


def method_gains(network: Network, image: NDArray[np.uint8], method: str) -> tuple[float, float]:
    """Gains of a method's map over noise: by deletion, by insertion."""
    scores = explain(network, image, method=method).scores
    if scores is None:
        raise ValueError(f"{method} was not scored.")
    return scores.random_deletion - scores.deletion, scores.insertion - scores.random_insertion


def _read(record: Record) -> NDArray[np.uint8]:
    return decode_image(record.path.read_bytes()).pixels


def _interval(gains: NDArray[np.float64], maps: int) -> tuple[float, float]:
    """95 % bootstrap interval of the quantile, drawn by cells."""
    by_cell = gains.reshape(-1, maps)
    rng = np.random.default_rng(SEED)
    drawn = [
        np.quantile(by_cell[rng.integers(len(by_cell), size=len(by_cell))], _QUANTILE)
        for _ in range(1000)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of image sets")
    parser.add_argument("--release", type=Path, required=True, help="folder of the release")
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--explained", type=int, default=60, help="of them, by each method")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
