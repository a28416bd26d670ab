"""Retrained heads on real cells, judged by the registry's rule: who passes and who is refused.

    python -m benchmarks.retraining --data FOLDER --room FOLDER

The laboratory's cells are PBC's validation fold, which trained no release; the judge is PBC's
test fold. The version in use is, in turn, a head that never saw a basophil, fitted from nothing on
PBC's training fold behind the shipped backbone, and the shipped head itself. The backbone is the
same for all, so every cell is looked at once, as it is served; what is seen is kept in the room
for the next run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from ml.artifacts import DEFAULT_RELEASE
from ml.calibration import softmax
from ml.commands.inputs import add_data_options
from ml.data.records import Record
from ml.engine import open_engine
from ml.head_fitting import DenseLayer, class_weights, fit_layer
from ml.inference import read_statistics
from ml.keras_release import read_layer
from ml.looking import LookedAt, look_at
from ml.recalibrating import Replay, replay_of
from ml.report.noninferiority import Cells, Rule, Side, judge
from ml.retraining import Material, fit
from ml.sources import PBC, read_source

RULE = Rule(margin=0.02, least_cells=30)
UNSEEN = "basophil"
WRONG = {"immature_granulocyte": "neutrophil"}


def main() -> None:
    """Fit each head, hold it against the one in use, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    parser.add_argument("--room", type=Path, required=True, help="a folder for what was seen")
    options = parser.parse_args()
    spec, engine = open_engine(DEFAULT_RELEASE)
    dealt = read_source(PBC, options.data, seed=spec.training["seed"])

    def look(fold: str, records: Sequence[Record]) -> LookedAt:
        return kept(options.room / f"{fold}.npz", lambda: look_at(spec, engine, records))

    own, judges = look("validation", dealt["validation"]), look("test", dealt["test"])
    taught = look("train", limited(dealt["train"], 250))
    statistics = read_statistics(DEFAULT_RELEASE, spec)
    if statistics is None:
        raise SystemExit("The release keeps no cells.")
    shipped = Material(
        spec=spec,
        former=read_layer(DEFAULT_RELEASE),
        statistics=statistics,
        replay=replay_of(statistics),
        records=dealt["validation"],
        cells=own,
    )
    weak = weaken(shipped, taught)
    mistaken = misnamed(own, spec.class_names)
    for words, material in (
        ("Never saw a basophil; retrained on the laboratory's cells", weak),
        ("Never saw a basophil; immature granulocytes signed as neutrophils",
         replace(weak, cells=mistaken)),
        ("As shipped; retrained on the laboratory's cells", shipped),
        ("As shipped; immature granulocytes signed as neutrophils",
         replace(shipped, cells=mistaken)),
    ):  # fmt: skip
        show(words, compare(fit(material, slice(None)), material, judges))


def kept(path: Path, make: Callable[[], LookedAt]) -> LookedAt:
    """What was seen before, if it was kept; else it is made and kept."""
    names = [field.name for field in fields(LookedAt)]
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            return LookedAt(**{name: stored[name] for name in names})
    found = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, allow_pickle=False, **{name: getattr(found, name) for name in names})
    return found


def limited(records: Sequence[Record], most: int) -> list[Record]:
    """The first so many of each class, by name."""
    ordered = sorted(records, key=lambda each: (each.label, each.key))
    return [
        each
        for _, members in groupby(ordered, key=lambda each: each.label)
        for each in list(members)[:most]
    ]


def weaken(shipped: Material, taught: LookedAt) -> Material:
    """A version whose head, from nothing, never saw UNSEEN, nor keeps a cell of it."""
    number = shipped.spec.class_names.index(UNSEEN)
    features, labels = taught.rows(taught.labels != number)
    nothing = DenseLayer(np.zeros_like(shipped.former.kernel), np.zeros_like(shipped.former.bias))
    known = shipped.replay.labels != number
    return replace(
        shipped,
        former=fit_layer(nothing, features, labels, class_weights(labels)),
        replay=Replay(shipped.replay.features[known], shipped.replay.labels[known]),
    )


def misnamed(cells: LookedAt, class_names: Sequence[str]) -> LookedAt:
    """The same cells, some classes under another name."""
    labels = cells.labels.copy()
    for right, wrong in WRONG.items():
        labels[cells.labels == class_names.index(right)] = class_names.index(wrong)
    return replace(cells, labels=labels)


def compare(layer: DenseLayer, material: Material, judges: LookedAt) -> dict[str, Any]:
    """Judge a head against the former one on the same cells, as the registry does."""
    closer = material.spec.closer
    everything = np.ones(len(judges.labels), dtype=np.bool_)
    new, old = (
        Side(softmax(judges.logits(each, closer)), everything) for each in (layer, material.former)
    )
    return judge(new, old, Cells(judges.labels, material.spec.class_names, judges.groups), RULE)


def show(words: str, table: Mapping[str, Any]) -> None:
    """Print a table as Markdown."""
    outcome = "refused" if table["is_refused"] else "may be promoted"
    lines = [
        f"\n**{words}: {outcome}** ({table['cells']} cells)\n",
        "| class | cells | candidate | in use | difference | 95 % | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table["classes"]:
        low, high = row["interval_95"]
        lines.append(
            f"| {row['name'].replace('_', ' ')} | {row['cells']} "
            f"| {row['candidate']['value']:.1%} | {row['incumbent']['value']:.1%} "
            f"| {100 * row['difference']:+.1f} | {100 * low:+.1f} to {100 * high:+.1f} "
            f"| {row['verdict'].replace('_', ' ')} |"
        )
    balanced = table["overall"]["balanced_accuracy"]
    lines.append(
        f"\nBalanced accuracy {balanced['candidate']:.1%} against {balanced['incumbent']:.1%}."
    )
    lines += [f"- {reason}" for reason in table["reasons"]]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
