"""Lay out what `benchmarks.adaptation_loop` needs: a release in use and a laboratory's cells.

    python -m benchmarks.adaptation_loop_room --laboratory bccd --pbc-only WEIGHTS --out FOLDER

`taught`, `new` and `golden` hold pictures of the laboratory, dealt by group (the field that a cell
is cut from, or cells that overlap), `home` cells of PBC's test fold; each with a catalogue.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.adaptation_labs import MADE, SEED, Pixels, at_home, camera, make_pbc_only, sample
from benchmarks.retraining import limited
from ml.artifacts import DEFAULT_RELEASE, ReleaseSpec, read_spec, sha256_of, write_spec
from ml.commands.inputs import add_data_options
from ml.data.catalogue import Entry, write_catalogue
from ml.data.pixels import read_cell
from ml.data.records import Record, fingerprint
from ml.data.splits import folds_by_group, split_by_group
from ml.engine import open_engine
from ml.looking import look_at
from ml.novelty import REFERENCE_NAME, save
from ml.preprocessing import to_png
from ml.recalibrating import replay_of
from ml.retraining import Material, make_release
from ml.sources import PBC, of_classes, read_bccd_records, read_source
from ml.training_sets import TrainingSet

REAL: Final = "bccd"
LABORATORIES: Final = (REAL, *MADE)
LICENCES: Final[Mapping[str, str]] = {REAL: "MIT", **dict.fromkeys(MADE, "CC BY 4.0")}
HOME: Final = "home"

_SHARES: Final[Mapping[str, float]] = {"train": 0.50, "validation": 0.08, "test": 0.42}
"""Of BCCD: taught, new cases, golden; so that eosinophils are enough to be judged, 30."""

_TAUGHT: Final = 60
_NEW: Final = 6
_HOME: Final = 100
"""Cells of each class, of the made laboratories and of home."""


def main() -> None:
    """Write the release and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    parser.add_argument("--laboratory", choices=LABORATORIES, required=True)
    parser.add_argument("--pbc-only", type=Path, help="weights that never learned from BCCD")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    names = read_spec(DEFAULT_RELEASE).class_names
    dealt = read_source(PBC, options.data, seed=SEED)
    home = {name: of_classes(records, names) for name, records in dealt.items()}
    release = options.out / "release"
    if options.laboratory == REAL:
        _make_release(home, options.pbc_only, release)
        parts = _deal_bccd(options.data, names)
        _write_parts(parts, options.out, LICENCES[REAL])
    else:
        shutil.copytree(DEFAULT_RELEASE, release)
        change = camera(MADE[options.laboratory])
        _write_parts(_deal_made(home), options.out, LICENCES[options.laboratory], change)
    _write_parts({HOME: limited(home["test"], _HOME)}, options.out, "CC BY 4.0")


def _deal_bccd(data_dir: Path, names: Sequence[str]) -> dict[str, list[Record]]:
    strangers = of_classes(read_bccd_records(data_dir), names)
    found = split_by_group(strangers, seed=SEED, shares=_SHARES)
    return {"taught": found["train"], "new": found["validation"], "golden": found["test"]}


def _deal_made(home: Mapping[str, Sequence[Record]]) -> dict[str, list[Record]]:
    """PBC's validation fold teaches, its test fold judges; no group lies on both sides."""
    taught = limited(home["validation"], _TAUGHT)
    groups = {each.group for each in taught}
    rest = [each for each in home["validation"] if each.group not in groups]
    return {"taught": taught, "new": limited(rest, _NEW), "golden": list(home["test"])}


def _write_parts(
    parts: Mapping[str, Sequence[Record]],
    out: Path,
    licence: str,
    change: Callable[[Pixels], Pixels] = lambda pixels: pixels,
) -> None:
    """Each part as a folder of lossless pictures of one cell, and its catalogue."""
    for name, records in parts.items():
        folder = out / name
        folder.mkdir(parents=True)
        entries = []
        for number, record in enumerate(records):
            file = f"{number:04}.png"
            (folder / file).write_bytes(to_png(change(read_cell(record))))
            entries.append(Entry(file, file, record.label, record.group, name, licence))
        write_catalogue(folder, entries)


def _make_release(home: Mapping[str, Sequence[Record]], weights: Path, out: Path) -> None:
    """Release pbc8 1.0.0 as it would serve today: its network, a head fitted to PBC alone.

    All of its figures and limits come from PBC, in the way in which `python -m ml retrain` works.
    """
    like = read_spec(DEFAULT_RELEASE)
    base = make_pbc_only(out.parent / "base", _pbc_alone(like), weights)
    spec, engine = open_engine(base)
    records = sample(home["train"], spec.class_names)
    learned = look_at(spec, engine, records)
    lent, _ = folds_by_group(home["validation"], 2, SEED)
    known = at_home(spec, learned, look_at(spec, engine, lent))
    save(known.statistics, base / REFERENCE_NAME)
    write_spec(base, replace(known.spec, reference_sha256=sha256_of(base / REFERENCE_NAME)))
    make_release(
        Material(
            spec=known.spec,
            former=known.head,
            statistics=known.statistics,
            replay=replay_of(known.statistics),
            records=records,
            cells=learned,
        ),
        TrainingSet("PBC's training fold", "PBC alone", "CC BY 4.0", fingerprint(records), ()),
        base,
        out,
        version="1.0.0+home",
    )


def _pbc_alone(like: ReleaseSpec) -> ReleaseSpec:
    """A spec that names PBC as all that was learned from."""
    (source,) = (each for each in like.data["sources"] if each["name"] == PBC)
    return replace(
        like,
        name="pbc8-mobilenetv2",
        version="1.0.0",
        data={**like.data, "sources": [{**source, "share_of_views": 1.0}]},
        metrics={},
    )


if __name__ == "__main__":
    main()
