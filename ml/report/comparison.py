"""Two releases on the same cells: is the difference more than chance?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from ml.errors import DatasetError
from ml.report.bootstrap import interval, replicate_weights
from ml.report.subject import Subject
from ml.report.weighted import weighted_figures

COMPARED: Final[tuple[str, ...]] = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "ece")


def compare(first: Subject, second: Subject) -> dict[str, Any]:
    """McNemar's test and paired differences, first minus second, over the same cells.

    Groups are drawn once for both, so that what makes a cell hard cancels out. Raises DatasetError
    if the two were not examined on the same cells or do not know the same classes, in any order.
    """
    is_same = first.fingerprint == second.fingerprint
    if not is_same or set(first.class_names) != set(second.class_names):
        raise DatasetError("Two releases are compared on the same cells and the same classes only.")
    truth = first.truth
    order = [second.class_names.index(name) for name in first.class_names]
    found = (first.probabilities, second.probabilities[:, order])
    sides = [weighted_figures(each, truth) for each in found]
    ones = np.ones(len(truth))
    drawn = [[side(weights) for side in sides] for weights in replicate_weights(first.groups)]
    differences = {}
    for name in COMPARED:
        one, other = (float(side(ones)[name][0]) for side in sides)
        replicates = np.array([float((a[name] - b[name])[0]) for a, b in drawn])
        is_defined = bool(np.isfinite(one - other))
        differences[name] = {
            "first": one if is_defined else None,
            "second": other if is_defined else None,
            "difference": one - other if is_defined else None,
            "interval_95": interval(replicates) if is_defined else None,
        }
    right = [each.argmax(axis=1) == truth for each in found]
    return {"mcnemar": mcnemar(*right), "differences": differences}


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> dict[str, Any]:
    """Exact two-sided test on the cells that only one of two names right (bool[N] each).

    McNemar, Psychometrika 1947;12:153, by the binomial rather than its chi-square limit. It takes
    cells for independent; where groups are large, trust the bootstrap instead.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    discordant = only_first + only_second
    return {
        "only_first_right": only_first,
        "only_second_right": only_second,
        "both_right": int((first & second).sum()),
        "both_wrong": int((~first & ~second).sum()),
        "p_value": float(binomtest(only_first, discordant).pvalue) if discordant else 1.0,
    }
