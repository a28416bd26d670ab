"""Which fields are warned about, real and spoilt ones: `python -m benchmarks.field_quality`.

Real fields are all of BCCD and BCDD; every third is spoilt in each way and strength.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.field_faults import FAULTS, HARMLESS, Pixels, barest_part, blur, resize
from ml.cutting import cut_cell
from ml.fields.quality import ADVICE, FieldQuality, judge_field
from ml.fields.slide import see_slide
from ml.metrics import Share
from ml.preprocessing import decode_image
from ml.quality import examine
from ml.strangers import PBC_MARGIN, StrangeCell, read_bccd_cells

_BARE: Final = 0.02
_SIZES: Final = ((640, 480), (1600, 1200), (4000, 3000))
_VIEW: Final = 96
"""Pixels of the view of a cell by which its focus is judged."""


@dataclass(frozen=True, slots=True)
class Field:
    """A real field and how it is judged."""

    name: str
    pixels: Pixels
    found: FieldQuality

    @property
    def red_cell(self) -> float:
        """In pixels; a sixth of the height where hardly any cells are seen."""
        return self.found.red_cell or self.pixels.shape[0] / 6


def main(arguments: Sequence[str] | None = None) -> int:
    """Print shares warned about, with intervals, and times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.field_quality", description=__doc__)
    data = os.environ.get("HEMATOVISION_DATA")
    parser.add_argument("--data", type=Path, default=data, required=data is None)
    parser.add_argument("--every", type=int, default=3, help="spoil every Nth field")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    sets = {"BCCD": bccd(Path(options.data)), "BCDD": bcdd(Path(options.data))}
    for name, paths in sets.items():
        report_real(name, read(paths))
    fields = read([path for paths in sets.values() for path in paths])[:: options.every]
    report_cells(read_bccd_cells(Path(options.data))[:: options.every])
    report_faults(fields)
    report_bare(fields)
    report_harmless(fields)
    report_times(fields[0].pixels)
    return 0


def bccd(data: Path) -> list[Path]:
    """Its 289 fields, of 640 x 480 pixels."""
    return sorted((data / "bccd" / "images").glob("*.jpg"))


def bcdd(data: Path) -> list[Path]:
    """The 100 fields of TXL-PBC that come from BCDD, of 256 x 256 pixels."""
    root = data / "txl"
    with (root / "index.csv").open(newline="", encoding="utf-8") as lines:
        names = [row["file"] for row in csv.DictReader(lines) if row["source"] == "BCDD"]
    return [root / "images" / name for name in names]


def read(paths: Sequence[Path]) -> list[Field]:
    """Decode as serving does, and judge."""
    fields = []
    for path in paths:
        pixels = decode_image(path.read_bytes()).pixels
        fields.append(Field(path.name, pixels, judge_field(pixels)))
    return fields


def report_real(name: str, fields: Sequence[Field]) -> None:
    """Print each measure's range and each warning's share, and which fields are warned about."""
    say(f"{name}: {len(fields)} fields; least, 2 %, median, 98 %, largest")
    for measure in ("brightness", "clipped", "covered", "empty", "contrast", "red_cell", "blur"):
        values = [getattr(field.found, measure) for field in fields]
        spread = np.quantile(np.array(values, dtype=np.float64), (0, 0.02, 0.5, 0.98, 1))
        say(f"  {measure:11}" + "".join(f"{value:9.3f}" for value in spread))
    for code in ADVICE:
        share(f"  {code}", [code in codes(field.found) for field in fields])
    share("  any warning", [bool(field.found.problems) for field in fields])
    warned = [field for field in fields if field.found.problems]
    say("  " + "; ".join(f"{each.name} ({', '.join(codes(each.found))})" for each in warned))


def report_cells(cells: Sequence[StrangeCell]) -> None:
    """Print how many white cells of BCCD are too blurred to be named, by blur of the field."""
    for strength in (0.0, *FAULTS[0][2]):
        refused = []
        for cell in cells:
            pixels = decode_image(cell.field.read_bytes()).pixels
            if strength:
                pixels = blur(pixels, judge_field(pixels).red_cell or 100.0, strength)
            refused.append(examine(cut_cell(pixels, cell.box, margin=PBC_MARGIN), _VIEW).blur > 1)
        share(f"white cells refused as blurred, blur {strength:g}", refused)


def report_faults(fields: Sequence[Field]) -> None:
    """Print the share caught of each fault, and the share warned about at all."""
    for change, code, strengths in FAULTS:
        for strength in strengths:
            found = [
                judge_field(change(field.pixels, field.red_cell, strength)) for field in fields
            ]
            warned = sum(bool(each.problems) for each in found)
            label = f"{change.__name__} {strength:g}: {code}"
            share(label, [code in codes(each) for each in found], f"; warned at all {warned}")


def report_bare(fields: Sequence[Field]) -> None:
    """Print the share caught of the barest parts of fields, enlarged fourfold to a field."""
    parts = [barest_part(field.pixels, see_slide(field.pixels).stained) for field in fields]
    bare = [resize(part, 0, 4) for part, stained in parts if stained < _BARE]
    found = [judge_field(each) for each in bare]
    warned = sum(bool(each.problems) for each in found)
    hits = ["too_few_cells" in codes(each) for each in found]
    share("barest part: too_few_cells", hits, f"; warned at all {warned}")


def report_harmless(fields: Sequence[Field]) -> None:
    """Print the share that is warned about though nothing that matters is spoilt."""
    for change, strengths in HARMLESS:
        for strength in strengths:
            found = [
                judge_field(change(field.pixels, field.red_cell, strength)) for field in fields
            ]
            label = f"{change.__name__} {strength:g}: warned about"
            share(label, [bool(each.problems) for each in found])


def report_times(pixels: Pixels) -> None:
    """Print the time of one field, enlarged, and tiled so that red cells stay small."""
    for width, height in _SIZES:
        tiled = np.tile(pixels, (height // pixels.shape[0] + 1, width // pixels.shape[1] + 1, 1))
        views = {
            "enlarged": resize(pixels, 0, width / pixels.shape[1]),
            "tiled": np.ascontiguousarray(tiled[:height, :width]),
        }
        for name, view in views.items():
            say(f"{width} x {height}, {name}: {milliseconds(view):.0f} ms")


def milliseconds(pixels: Pixels) -> float:
    """The median of nine, on one core."""
    spent = []
    for _ in range(9):
        start = time.process_time()
        judge_field(pixels)
        spent.append(1000 * (time.process_time() - start))
    return float(np.median(spent))


def codes(found: FieldQuality) -> list[str]:
    """Of the problems, in order."""
    return [problem.code for problem in found.problems]


def share(label: str, hits: Sequence[bool], note: str = "") -> None:
    """Print a count with its exact 95 % interval."""
    part = Share(sum(hits), len(hits))
    low, high = part.interval
    say(f"{label} {part.hits} of {part.total}, {part.value:.1%} ({low:.1%} to {high:.1%}){note}")


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
