"""How many of the known groups of an image set the duplicate finder finds, and what beyond them.

python -m benchmarks.duplicates pbc|bccd [--data FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from pathlib import Path

from ml.commands.inputs import add_data_options
from ml.data.duplicates import compare_groups, find_matches, groups_of
from ml.data.features import measure_files


def main() -> None:
    """Find duplicates among the pictures alone and hold them against the set's own groups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=("pbc", "bccd"))
    add_data_options(parser)
    options = parser.parse_args()
    root = options.data / options.name
    index = root / ("index.csv" if options.name == "pbc" else "cells.csv")
    with index.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    folder = root if options.name == "pbc" else root / "images"
    paths = [folder / row["file"] for row in rows]
    with tempfile.TemporaryDirectory() as cache:
        matches = find_matches(paths, measure_files(paths, Path(cache)))
    truth = [row["group"] for row in rows]
    found = groups_of([str(path) for path in paths], [(m.first, m.second) for m in matches])
    both, known, beyond = compare_groups(truth, found)
    sys.stdout.write(f"{both} of {known} known pairs found, {beyond} pairs beyond them\n")
    for match in matches:
        if truth[match.first] != truth[match.second]:
            sys.stdout.write(f"{rows[match.first]['file']} | {rows[match.second]['file']}\n")


if __name__ == "__main__":
    main()
