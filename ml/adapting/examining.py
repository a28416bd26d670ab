"""What adapting does to cells of a laboratory that it never learned from, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.adapting.heads import Array
from ml.adapting.learning import FOLDS, Adapted, Known, adapt_head, deal
from ml.evaluation import examine
from ml.looking import LookedAt
from ml.report.bootstrap import interval, replicate_weights
from ml.report.weighted import weighted_figures
from ml.steps import Say

COMPARED = ("accuracy", "balanced_accuracy", "ece")


@dataclass(frozen=True, eq=False)
class Reading:
    """Calibrated probabilities float64[N, C] of cells, and which of them bool[N] are named."""

    probabilities: Array
    is_named: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The same cells by a release as it is, and by one adapted to others of their laboratory."""

    before: Reading
    after: Reading

    def as_dict(self, cells: LookedAt, class_names: tuple[str, ...]) -> dict[str, Any]:
        """Figures of both with exact intervals, and differences by drawing whole groups again."""
        sides = {"before": self.before, "after": self.after}
        figures = {
            name: examine(
                side.probabilities, cells.labels, class_names, is_accepted=side.is_named
            ).as_dict()
            for name, side in sides.items()
        }
        return {**figures, "differences": self._differences(cells)}

    def _differences(self, cells: LookedAt) -> dict[str, dict[str, Any]]:
        """After minus before, each with its 95 % interval, groups drawn once for both."""
        before, after = (
            weighted_figures(side.probabilities, cells.labels) for side in (self.before, self.after)
        )
        ones = np.ones(len(cells))
        drawn = [(after(each), before(each)) for each in replicate_weights(cells.groups)]
        return {
            name: {
                "value": float((after(ones)[name] - before(ones)[name])[0]),
                "interval_95": interval(np.array([(a[name] - b[name])[0] for a, b in drawn])),
            }
            for name in COMPARED
        }


def read_with(known: Known, adapted: Adapted, cells: LookedAt) -> Reading:
    """Cells as the adapted release would serve them."""
    logits = cells.logits(adapted.head, known.spec.closer)
    named = adapted.limits.named(logits, known.statistics, cells)
    return Reading(adapted.limits.probabilities(logits), named)


def read_unadapted(known: Known, cells: LookedAt) -> Reading:
    """Cells as the release serves them before."""
    logits = cells.logits(known.head, known.spec.closer)
    named = known.limits.named(logits, known.statistics, cells)
    return Reading(known.limits.probabilities(logits), named)


def cross_examine(known: Known, cells: LookedAt, *, say: Say = lambda *_: None) -> Comparison:
    """Adapt once a fold to the cells of the others, and read those left out.

    Everything is done anew in each fold, pull, temperature and limits included (nested
    cross-validation), so that nothing examined was tuned on. Whole groups are left out.
    """
    before = read_unadapted(known, cells)
    probabilities = np.empty_like(before.probabilities)
    is_named = np.zeros(len(cells), dtype=np.bool_)
    for number, mask in enumerate(deal(cells, FOLDS), start=1):
        adapted = adapt_head(known, cells.part(~mask))
        found = read_with(known, adapted, cells.part(mask))
        probabilities[mask], is_named[mask] = found.probabilities, found.is_named
        say("Trying it on patients left out", number, FOLDS)
    return Comparison(before, Reading(probabilities, is_named))
