"""Write the card of a detector's release from its spec, so that the two cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.detection.artifact import DetectorSpec

_TEMPLATE = """# Detector card: {name} {version}

{architecture} finds red cells, white cells and platelets in a field of a stained blood smear, each
with a box and a confidence. The weights' SHA-256 is `{sha256}`.

## Intended use

To find the cells of Romanowsky-stained smear fields that are then classified, reviewed and counted
by people. It proposes; it never decides. It is research software and not a medical device.

**Not for:** concentrations (a field is no volume); thick smears, tissue, bone marrow; clumped
platelets, whose number it cannot tell; rouleaux, whose cells hide each other.

## How it reads

Every field is seen at one scale, a median red cell {red_cell} pixels across. The scale is found
from the field's own red cells first, and reported. Large fields are read in overlapping tiles.
Reported is what is at least as sure as: {thresholds}, chosen on the validation fold:
for white cells the lowest with one false box in fifty fields, for the others that at which as many
are found as there are, in fields whose boxes are complete.

## Figures on the untouched test fold

Matches are COCO's, at an overlap (intersection over union) of one half unless said otherwise;
intervals are the middle 95 % of 1,000 draws of whole groups. The scale was found by the detector
itself. A count error is by how much of the true number a field's count is off, in the median.

{sources}

`bccd` are BCCD's own boxes, in which many overlapping red cells lack: finding them counts as an
error here. `txl-bccd` are the same fields boxed anew, more densely, as far as they were.
`complete` are all that TXL-PBC boxed. `all` is every picture once, with the denser boxes.

## Data

- Licence: {licence}
- Start: {start}
- Split: {split}
{data}

## Limits

- Three laboratories, no patient identifiers: figures are optimistic for a fourth. BCCD and TXL-PBC
  are of the 100x lens; lower magnification is imitated by shrinking.
- Boxes of TXL-PBC were drawn with a machine's help, and some cells at edges have none.
- BCDD's fields hold hardly a platelet.

## How it was made

```
{command}
```

Seed {seed}; best epoch {best_epoch} of {epochs} by mean AP50 on the validation fold. See
`docs/fields.md`.
"""


def render_detector_card(spec: DetectorSpec) -> str:
    """Fill in the card, in Markdown."""
    thresholds = ", ".join(f"{kind} {value:.2f}" for kind, value in spec.thresholds.items())
    return _TEMPLATE.format(
        name=spec.name,
        version=spec.version,
        architecture=spec.architecture,
        sha256=spec.sha256,
        red_cell=spec.red_cell,
        thresholds=thresholds,
        sources="\n\n".join(
            _source(name, figures) for name, figures in spec.metrics["test"].items()
        ),
        licence=spec.data["licence"],
        start=spec.data["start"],
        split=spec.data["split"],
        data="\n".join(_data(each) for each in spec.data["sources"]),
        command=spec.training["command"],
        seed=spec.training["seed"],
        epochs=spec.training["epochs"],
        best_epoch=spec.training["best_epoch"],
    )


def _source(name: str, figures: Mapping[str, Any]) -> str:
    recall = figures["leukocyte_recall"]
    head = (
        f"**{name}**, {figures['fields']} fields in {figures['groups']} groups: mAP50 "
        f"{_with_interval(figures['map50'])}; white-cell recall {_with_interval(recall)} at "
        f"{recall['false_per_field']} false boxes a field; scale off by "
        f"{figures['scale_error']['median']:.1%} in the median.\n\n"
        "| kind | boxes | AP50 | AP50:95 | recall | precision | count error | all fields |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(_row(kind, each) for kind, each in figures["kinds"].items())


def _row(kind: str, figures: Mapping[str, Any]) -> str:
    error = figures["count_error"]
    median = "none" if error["median"] is None else _with_interval(error["median"])
    total = "none" if error["total"] is None else f"{error['total']:+.1%}"
    return (
        f"| {kind} | {figures['boxes']} | {_with_interval(figures['ap50'])} "
        f"| {_percent(figures['ap50_95'])} | {_percent(figures['recall'])} "
        f"| {_percent(figures['precision'])} | {median} | {total} |"
    )


def _with_interval(share: Mapping[str, Any]) -> str:
    if share["interval_95"] is None:
        return _percent(share["value"])
    low, high = share["interval_95"]
    return f"{_percent(share['value'])} ({low:.1%} to {high:.1%})"


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _data(source: Mapping[str, Any]) -> str:
    folds = ", ".join(f"{fold} {count}" for fold, count in source["folds"].items())
    lines = [f"- {source['words']}: {folds} fields"]
    lines += [
        f"  - SHA-256 of the {fold} fold's list: `{digest}`"
        for fold, digest in source["fingerprints"].items()
    ]
    return "\n".join(lines)
