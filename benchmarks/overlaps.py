"""How many overlapping fields are found, and whether others are: `python -m benchmarks.overlaps`.

Every pair of BCCD's fields is examined. Then pairs of a known share: real fields cut smaller, and
drawn ones that are turned, scaled, lit, blurred and stored anew, with dust and a time stamp.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.overlap_cuts import SHARES, Cut, Pixels, drawn_cuts, real_cuts
from ml.fields.features import FieldFeatures, describe
from ml.fields.overlap import OverlappingPair, find_overlaps, match
from ml.fields.repeats import repeats
from ml.metrics import Share
from ml.preprocessing import decode_image
from ml.strangers import white_boxes

Names = tuple[str, str]

UNLABELLED: Final[dict[Names, str]] = {
    ("00040", "00041"): "right of one, left of the other: a ring cell among four, and a neutrophil",
    ("00160", "00161"): "a platelet on a ring cell and seven red cells round it",
    ("00207", "00279"): "the same neutrophil, and the red cells left of it",
    ("00231", "00255"): "a folded chain of red cells and two single ones",
}
"""Pairs of different groups that overlap, seen in pictures laid over each other."""

APART: Final[dict[Names, str]] = {
    ("00165", "00166"): "528 pixels apart in 480: each overlaps 00193, but not the other",
}
"""Pairs of one group that share no part of the slide."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found and missed, with intervals and times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overlaps", description=__doc__)
    data = os.environ.get("HEMATOVISION_DATA")
    parser.add_argument("--data", type=Path, default=data, required=data is None)
    parser.add_argument("--drawn", type=int, default=20, help="drawn pairs of each share")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    root = Path(options.data) / "bccd"
    groups = read_groups(root / "cells.csv")
    pictures = [read(root, name) for name in groups]
    features = describe_all(pictures)
    found = timed_overlaps(features)
    report_pairs(groups, found)
    report_cells(root, list(groups), found)
    report_times(features)
    report_shares(pictures, found, options.drawn)
    return 0


def read_groups(path: Path) -> dict[str, str]:
    """The group of each field, by the field's number, in order."""
    with path.open(newline="", encoding="utf-8") as lines:
        return dict(sorted((row["file"][11:16], row["group"]) for row in csv.DictReader(lines)))


def read(root: Path, name: str) -> Pixels:
    """Decode as serving does."""
    return decode_image((root / "images" / f"BloodImage_{name}.jpg").read_bytes()).pixels


def describe_all(pictures: Sequence[Pixels]) -> list[FieldFeatures]:
    """Describe every field, as it is read back from storage; print the time and the size."""
    start = time.process_time()
    features = [describe(picture) for picture in pictures]
    spent = 1000 * (time.process_time() - start) / len(pictures)
    stored = [each.to_bytes() for each in features]
    sizes = [len(each) / 1000 for each in stored]
    say(f"describe: {spent:.0f} ms a field; stored {np.mean(sizes):.1f} kB, most {max(sizes):.1f}")
    return [FieldFeatures.from_bytes(each) for each in stored]


def timed_overlaps(features: Sequence[FieldFeatures]) -> list[OverlappingPair]:
    """All pairs, with the time that one takes."""
    start = time.process_time()
    found = find_overlaps(features)
    pairs = len(features) * (len(features) - 1) // 2
    spent = 1000 * (time.process_time() - start) / pairs
    say(f"match: {pairs} pairs of {len(features)} fields, {spent:.2f} ms a pair")
    return found


def report_pairs(groups: dict[str, str], found: Sequence[OverlappingPair]) -> None:
    """Hold the found pairs against the groups; the corrected labels come apart."""
    names = list(groups)
    got: set[Names] = {(names[pair.first], names[pair.second]) for pair in found}
    every = set(combinations(names, 2))
    labelled = {pair for pair in every if groups[pair[0]] == groups[pair[1]]}
    share("pairs of one group found", labelled & got, labelled)
    overlapping = (labelled - APART.keys()) | UNLABELLED.keys()
    share("pairs that overlap found", overlapping & got, overlapping)
    share("false among the others", got - overlapping, every - overlapping)
    for pair in sorted(labelled - got):
        say(f"  missed {'-'.join(pair)}: {APART.get(pair, 'look at it')}")
    for pair in sorted(got - labelled):
        say(f"  beyond the groups {'-'.join(pair)}: {UNLABELLED.get(pair, 'FALSE')}")


def report_cells(root: Path, names: list[str], found: Sequence[OverlappingPair]) -> None:
    """How many of the annotated white cells are repeats of others."""
    boxes = white_boxes(root / "boxes.csv")
    cells = [boxes[f"BloodImage_{name}.jpg"] for name in names]
    again = repeats(cells, found)
    say(f"white cells: {sum(map(len, cells))} boxes, {len(again)} of them repeats")
    by_pair: dict[str, int] = defaultdict(int)
    for key, counted in again.items():
        by_pair[f"{names[key.field]} of {names[counted.field]}"] += 1
    say("  " + ", ".join(f"{pair}" + f" ({n})" * (n > 1) for pair, n in by_pair.items()))


def report_times(features: Sequence[FieldFeatures]) -> None:
    """A case of 30 fields, and a new field against 200."""
    start = time.process_time()
    find_overlaps(features[:30])
    case = time.process_time() - start
    start = time.process_time()
    for each in features[1:201]:
        match(features[0], each)
    say(f"a case of 30: {case:.2f} s; one against 200: {time.process_time() - start:.2f} s")


def report_shares(
    pictures: Sequence[Pixels], found: Sequence[OverlappingPair], count: int
) -> None:  # fmt: skip
    """Found by share of overlap, and false pairs among views of different drawn smears."""
    pairs = [
        Cut(pictures[p.first], pictures[p.second], p.overlap.transform, p.overlap.share)
        for p in found
    ]
    for wanted in SHARES:
        cuts = {f"real, {w} x {h}": real_cuts(pairs, share=wanted, size=(w, h))
                for w, h in ((480, 360), (560, 420))}  # fmt: skip
        say(f"share {wanted:.0%}: " + "; ".join(found_of(*each) for each in cuts.items()))
    sizes = (((320, 240), 45), ((640, 480), 70), ((960, 720), 40))
    for size, red_cell in sizes:
        views = [report_drawn(size, red_cell, wanted, count) for wanted in SHARES]
        report_strangers([view for some in views for view in some], count)


def report_drawn(
    size: tuple[int, int], red_cell: int, wanted: float, count: int
) -> list[FieldFeatures]:
    """Print how many are found; the first views, described, come back."""
    cuts = drawn_cuts(share=wanted, count=count, size=size, red_cell=red_cell)
    pairs = [(describe(cut.first), describe(cut.second)) for cut in cuts]
    hits = [match(*pair) is not None for pair in pairs]
    label = f"drawn, {size[0]} x {size[1]}, red cell {red_cell}"
    say(f"share {wanted:.0%}: {label}: {sum(hits)} of {len(hits)}")
    return [first for first, _ in pairs]


def report_strangers(views: Sequence[FieldFeatures], count: int) -> None:
    """View i is of smear i modulo `count`; two of different smears must not match."""
    strangers = [pair for pair in combinations(range(len(views)), 2) if (pair[0] - pair[1]) % count]
    false = [pair for pair in strangers if match(views[pair[0]], views[pair[1]])]
    share("false among different drawn smears", false, strangers)


def found_of(label: str, cuts: Iterable[Cut]) -> str:
    """How many of the cuts are found."""
    hits = [match(describe(cut.first), describe(cut.second)) is not None for cut in cuts]
    return f"{label}: {sum(hits)} of {len(hits)}"


def share(label: str, hits: Collection[object], of: Collection[object]) -> None:
    """Print a count with its exact 95 % interval."""
    part = Share(len(hits), len(of))
    low, high = part.interval
    say(f"{label}: {part.hits} of {part.total}, {part.value:.2%} ({low:.2%} to {high:.2%})")


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
