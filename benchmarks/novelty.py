"""How well odd pictures are told from cells of the classes: `python -m benchmarks.novelty`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.novelty_groups import (
    Group,
    blurred,
    in_class_groups,
    misshapen,
    not_cells,
)
from benchmarks.novelty_scores import Readings, Score, auroc, auroc_interval, fit_scores
from ml.data.records import Record, labels_of
from ml.datasets import cached_pixels, read_pbc, split_by_group
from ml.engine import Engine, open_engine
from ml.folds import Fold
from ml.metrics import Share
from ml.novelty_fitting import plain_view, read_views, varied_view
from ml.preprocessing import CANVAS, locate, normalise
from ml.quality import quality_of

SEED: Final = 20260101
_SPOILT: Final = 250
"""PBC cells that are blurred, halved and smeared."""

_BCCD_CELL: Final = 1 / 1.7
_PBC_CELL: Final = 0.45
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "red/empty": ("red cells", "background"),
    "drawn": ("drawn",),
    "blurred": ("defocus 0.08", "defocus 0.12", "defocus 0.2", "shaken 0.6"),
    "half": ("half",),
    "smudged": ("smudged",),
    "two": ("two",),
}
_HOME: Final = "PBC"
_STRANGE: Final = "BCCD, margin 1.7"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print AUROC by score and kind of oddity, then by group what the chosen score refuses."""
    options = _parse(arguments)
    spec, engine = open_engine(options.release)
    names, size = spec.class_names, spec.input_size
    records = split_by_group(read_pbc(options.data), seed=SEED)
    training, validation = (
        _fold(records[name], names, options.cache) for name in ("train", "validation")
    )
    usual = in_class_groups(validation.pixels, validation.labels, options.data, names)
    odd = _odd_groups(options.data, records["validation"], validation, usual)
    read = {group.name: _read(engine, size, group) for group in (*usual, *odd)}
    logits, features, labels = _learned(engine, size, training)
    scores = fit_scores(logits, features, labels, read[_HOME].features)
    _print_comparison(scores, read, odd)
    _print_groups(scores["all four"], read, usual, odd)
    _print_left_out(names, (logits, features, labels), read[_HOME], validation.labels)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.novelty", description=__doc__)
    data = os.environ.get("HEMATOVISION_DATA")
    parser.add_argument("--data", type=Path, default=data, required=data is None)
    parser.add_argument("--release", type=Path, required=True, help="folder of the release")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded folds")
    return parser.parse_args(arguments)


def _fold(records: Sequence[Record], names: Sequence[str], cache: Path) -> Fold:
    return Fold(cached_pixels(records, CANVAS, cache), labels_of(records, names))


def _odd_groups(
    data_dir: Path, home: Sequence[Record], validation: Fold, usual: Sequence[Group]
) -> list[Group]:
    chosen = np.random.default_rng([SEED, 0]).permutation(len(validation.labels))[:_SPOILT]
    pictures = [validation.pixels[number] for number in chosen]
    cells = Group(_HOME, pictures, validation.labels[chosen])
    strange = next(group for group in usual if group.name == _STRANGE)
    return [
        *not_cells(data_dir, home, 150, SEED),
        *blurred(cells, _PBC_CELL, SEED),
        *blurred(Group("BCCD", strange.pictures, strange.labels), _BCCD_CELL, SEED),
        *misshapen(cells, SEED),
    ]


def _read(engine: Engine, size: int, group: Group) -> Readings:
    """What the network and the measures of quality say of each picture, as in serving."""

    def read_one(pixels: NDArray[np.uint8]) -> tuple[object, ...]:
        cell = locate(pixels)
        view = cell.view(size)
        output = engine.run(normalise(view))
        quality = quality_of(view, cell.nucleus, pixels.shape[1], pixels.shape[0])
        return output.logits, output.features, quality.blur, quality.cut, quality.scatter

    with ThreadPoolExecutor(2) as pool:
        columns = zip(*pool.map(read_one, group.pictures), strict=True)
        return Readings(*(np.array(column) for column in columns))


def _learned(
    engine: Engine, size: int, training: Fold
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Logits, features and labels of every training cell, plain and in one random view."""
    numbers = range(len(training.labels))
    plain = read_views(engine, lambda number: plain_view(training, number, size), numbers)
    varied = read_views(engine, lambda number: varied_view(training, number, size), numbers)
    logits, features = (np.concatenate(pair) for pair in zip(plain, varied, strict=True))
    return logits, features, np.concatenate([training.labels, training.labels])


def _print_comparison(
    scores: Mapping[str, Score], read: Mapping[str, Readings], odd: Sequence[Group]
) -> None:
    """AUROC of every score against PBC cells, by kind; and strangers it refuses at 99 %."""
    heads = "".join(f"{name:>11}" for name in (*_COLUMNS, "refused"))
    _write(f"AUROC against PBC validation cells, n = {len(read[_HOME].blur)}\n{'':12}{heads}")
    for name, score in scores.items():
        home = score(read[_HOME])
        row = ""
        for starts in _COLUMNS.values():
            members = [group.name for group in odd if group.name.startswith(starts)]
            row += f"{auroc(home, np.concatenate([score(read[each]) for each in members])):11.3f}"
        refused = float((score(read[_STRANGE]) > np.quantile(home, 0.99)).mean())
        _write(f"{name:12}{row}{refused:11.1%}")


def _print_groups(
    score: Score, read: Mapping[str, Readings], usual: Sequence[Group], odd: Sequence[Group]
) -> None:
    """Of each group: size, named rightly, AUROC against home and strangers, share refused."""
    home, strange = score(read[_HOME]), score(read[_STRANGE])
    _write(f"\n{'all four, limit 1':28}{'n':>5}  named   AUROC, PBC           BCCD   refused")
    for group in (*usual, *odd):
        values = score(read[group.name])
        named = "     -"
        if group.labels is not None:
            guesses = read[group.name].logits.argmax(axis=1)
            named = f"{float((guesses == group.labels).mean()):6.1%}"
        areas = f"{'':28}"
        if group in odd:
            low, high = auroc_interval(home, values)
            area = f"{auroc(home, values):.3f} ({low:.3f} to {high:.3f})"
            areas = f"{area}  {auroc(strange, values):.3f}"
        share = Share(int((values > 1.0).sum()), len(values))
        low, high = share.interval
        _write(
            f"{group.name:28}{share.total:5} {named:>7}  {areas} "
            f"{share.value:7.1%} ({low:.1%} to {high:.1%})"
        )


def _print_left_out(
    names: Sequence[str],
    learned: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]],
    home: Readings,
    truth: NDArray[np.int64],
) -> None:
    """AUROC of each class when the statistics leave it out; the network did learn it."""
    logits, features, labels = learned
    shown = ("softmax", "Mahalanobis", "kNN", "ViM", "residual")
    _write(f"\n{'class left out':24}{'n':>5}" + "".join(f"{name:>13}" for name in shown))
    for label, name in enumerate(names):
        kept, known = labels != label, truth != label
        others = np.flatnonzero(np.arange(len(names)) != label)
        without = replace(home, logits=home.logits[:, others])
        scores = fit_scores(
            logits[kept][:, others], features[kept], labels[kept], home.features[known]
        )
        areas = [auroc((values := scores[each](without))[known], values[~known]) for each in shown]
        _write(f"{name:24}{(~known).sum():5}" + "".join(f"{area:13.3f}" for area in areas))


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
