"""Is a candidate at least as good as the release in use, class by class, on the same cells?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.errors import DatasetError
from ml.metrics import Share
from ml.report.bootstrap import interval, replicate_weights
from ml.report.comparison import mcnemar
from ml.report.weighted import weighted_figures

HOLDS: Final = "holds"
UNCLEAR: Final = "unclear"
WORSE: Final = "worse"
TOO_FEW: Final = "too_few"

OVERALL: Final[tuple[str, ...]] = ("accuracy", "balanced_accuracy", "macro_f1", "ece")


@dataclass(frozen=True, slots=True)
class Rule:
    """By how much a class's recall may fall (0 to 1), and how many cells make a class judged."""

    margin: float
    least_cells: int


@dataclass(frozen=True)
class Side:
    """What one release says of N cells: calibrated probabilities float64[N, C], and which of them
    it named itself, bool[N]. A class that it doesn't know has probability 0."""

    probabilities: NDArray[np.float64]
    is_named: NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """The truth of N cells, int64[N] over `class_names`, and a number for each group, int64[N]."""

    truth: NDArray[np.int64]
    class_names: Sequence[str]
    groups: NDArray[np.int64]


def judge(candidate: Side, incumbent: Side, cells: Cells, rule: Rule) -> dict[str, Any]:
    """Hold a candidate against the release in use, and say why it passes or is refused.

    For every class with at least `least_cells` cells, and for balanced accuracy, the lower end of
    the 95 % interval of the paired difference (candidate minus incumbent, whole groups drawn once
    for both) must not lie below minus the margin: the usual test of non-inferiority (Piaggio et
    al., JAMA 2012;308:2594). `unclear` is a class whose interval reaches beyond the margin, `worse`
    one whose interval lies beyond it altogether. Both refuse. A class of fewer cells isn't judged,
    and where no class is, the candidate is refused: nothing was shown.

    Raises DatasetError if there is no cell.
    """
    if not len(cells.truth):
        raise DatasetError("There is no cell to compare on.")
    right = [side.probabilities.argmax(axis=1) == cells.truth for side in (candidate, incumbent)]
    weights = np.array(list(replicate_weights(cells.groups)))
    rows = [
        _class_row(name, [hits[cells.truth == index] for hits in right],
                   weights[:, cells.truth == index], rule)
        for index, name in enumerate(cells.class_names)
        if (cells.truth == index).any()
    ]  # fmt: skip
    overall = _overall(candidate, incumbent, cells.truth, weights)
    balanced = overall["balanced_accuracy"]
    balanced["verdict"] = _verdict(balanced["interval_95"], rule.margin)
    reasons = _reasons(rows, balanced, rule)
    return {
        "cells": len(cells.truth),
        "groups": len(np.unique(cells.groups)),
        "margin": rule.margin,
        "least_cells": rule.least_cells,
        "classes": rows,
        "overall": overall,
        "mcnemar": mcnemar(*right),
        "named": [_named(side, hits) for side, hits in zip((candidate, incumbent), right,
                                                           strict=True)],
        "is_refused": bool(reasons),
        "reasons": reasons,
    }  # fmt: skip


def _class_row(
    name: str, right: Sequence[NDArray[np.bool_]], weights: NDArray[np.float64], rule: Rule
) -> dict[str, Any]:
    """The figures of one class: right bool[n] for each side, weights float64[replicates, n]."""
    first, second = right
    count = len(first)
    gaps = first.astype(np.float64) - second
    totals = weights.sum(axis=1)
    drawn = np.divide(weights @ gaps, totals, out=np.full(len(totals), np.nan), where=totals > 0)
    found = interval(drawn)
    verdict = _verdict(found, rule.margin) if count >= rule.least_cells else TOO_FEW
    return {
        "name": name,
        "cells": count,
        "candidate": Share(int(first.sum()), count).as_dict(),
        "incumbent": Share(int(second.sum()), count).as_dict(),
        "difference": float(gaps.mean()),
        "interval_95": found,
        **{key: value for key, value in mcnemar(first, second).items() if key != "both_right"},
        "verdict": verdict,
    }


def _overall(
    candidate: Side, incumbent: Side, truth: NDArray[np.int64], weights: NDArray[np.float64]
) -> dict[str, dict[str, Any]]:
    sides = [weighted_figures(side.probabilities, truth) for side in (candidate, incumbent)]
    ones = np.ones(len(truth))
    whole = [side(ones) for side in sides]
    drawn = [[side(each) for side in sides] for each in weights]
    figures = {}
    for name in OVERALL:
        first, second = (float(side[name][0]) for side in whole)
        gaps = np.array([float((one[name] - other[name])[0]) for one, other in drawn])
        figures[name] = {
            "candidate": first,
            "incumbent": second,
            "difference": first - second,
            "interval_95": interval(gaps),
        }
    return figures


def _verdict(found: Sequence[float] | None, margin: float) -> str:
    if found is None:
        return TOO_FEW
    low, high = found
    if high < -margin:
        return WORSE
    return UNCLEAR if low < -margin else HOLDS


def _named(side: Side, right: NDArray[np.bool_]) -> dict[str, Any]:
    """How many cells a release named itself, and how many of these wrongly."""
    named = int(side.is_named.sum())
    return {
        "share": Share(named, len(right)).as_dict(),
        "wrong": Share(int((~right & side.is_named).sum()), named).as_dict(),
    }


def _reasons(rows: Sequence[dict[str, Any]], balanced: dict[str, Any], rule: Rule) -> list[str]:
    """Why the candidate is refused, in sentences; empty if it isn't."""
    judged = [row for row in rows if row["verdict"] != TOO_FEW]
    if not judged:
        return [f"No class has {rule.least_cells} cells, so nothing was shown."]
    return [
        _reason(row["name"].replace("_", " "), row, rule.margin)
        for row in [*judged, {**balanced, "name": "balanced accuracy"}]
        if row["verdict"] in {WORSE, UNCLEAR}
    ]


def _reason(name: str, row: dict[str, Any], margin: float) -> str:
    low, high = row["interval_95"]
    words = "is worse" if row["verdict"] == WORSE else "is not shown to be as good"
    return (
        f"{name} {words}: {100 * row['difference']:+.1f} points "
        f"({100 * low:+.1f} to {100 * high:+.1f}), and {-100 * margin:.1f} is allowed."
    )
