"""Split conformal prediction: sets of classes that hold the truth as often as was asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ml.errors import DatasetError

Score = Literal["lac", "aps"]
SCORES: Final[tuple[Score, ...]] = ("lac", "aps")

ALWAYS: Final = 1.0
"""Quantile that keeps every class: no score exceeds 1, so the guarantee is trivially met."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Thresholds of one score at miscoverage `alpha`, fitted on cells that trained nothing.

    `per_class[c]` is None where class c has too few cells to promise anything; its classes are
    then always kept. `count` and `class_counts` say on how many cells each rests.
    """

    score: Score
    alpha: float
    marginal: float
    per_class: tuple[float | None, ...]
    count: int
    class_counts: tuple[int, ...]

    def class_thresholds(self) -> NDArray[np.float64]:
        """Thresholds float64[C] of the class-conditional sets, 1 where too few cells were seen."""
        return np.array([ALWAYS if each is None else each for each in self.per_class])

    def as_dict(self) -> dict[str, Any]:
        return {
            "score": self.score,
            "alpha": self.alpha,
            "marginal": self.marginal,
            "per_class": list(self.per_class),
            "count": self.count,
            "class_counts": list(self.class_counts),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Quantiles:
        """Read what `as_dict` wrote."""
        return cls(
            score=fields["score"],
            alpha=fields["alpha"],
            marginal=fields["marginal"],
            per_class=tuple(fields["per_class"]),
            count=fields["count"],
            class_counts=tuple(fields["class_counts"]),
        )


def fit(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.int64],
    alpha: float,
    *,
    score: Score = "lac",
) -> Quantiles:
    """Find the thresholds from probabilities [N, C] of calibration cells with labels int64[N].

    The ceil((n + 1)(1 - alpha))-th smallest score of the true classes. If the next cell is
    exchangeable with these n, its set holds the truth with probability at least 1 - alpha, and,
    without ties, at most 1 - alpha + 1/(n + 1): Angelopoulos & Bates, A gentle introduction to
    conformal prediction, arXiv:2107.07511 (2021), theorem 1 and appendix D. With one threshold a
    class the same holds within each class: Vovk, Conditional validity of inductive conformal
    predictors, ACML 2012. Neither holds on another laboratory's cells, which aren't exchangeable.

    Raises DatasetError for no cells, ValueError for an alpha outside 0 to 1.
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha lies between 0 and 1, not {alpha}")
    if len(labels) == 0:
        raise DatasetError("Conformal quantiles need calibration cells; there are none.")
    found = scores(probabilities, score)[np.arange(len(labels)), labels]
    by_class = [found[labels == index] for index in range(probabilities.shape[1])]
    marginal = _quantile(found, alpha)
    return Quantiles(
        score=score,
        alpha=alpha,
        marginal=ALWAYS if marginal is None else marginal,
        per_class=tuple(_quantile(each, alpha) for each in by_class),
        count=len(labels),
        class_counts=tuple(len(each) for each in by_class),
    )


def prediction_set(
    probabilities: NDArray[np.floating],
    quantile: float | NDArray[np.float64],
    *,
    score: Score = "lac",
) -> NDArray[np.bool_]:
    """Which classes each set holds, bool[N, C], of probabilities [N, C].

    `quantile` is `Quantiles.marginal`, or `class_thresholds()` for the class-conditional sets. A
    LAC set may be empty: no class is likely enough, which is a reason to refer the cell.
    """
    return np.asarray(scores(probabilities, score) <= quantile)


def carry_threshold(
    threshold: float | None, before: NDArray[np.float64], after: NDArray[np.float64]
) -> float | None:
    """The threshold that covers as many of N cells by a new head as the former one did by the old.

    Scores float64[N] of the same cells' own class, `before` and `after`. A threshold beyond all of
    them stays there; without cells it stays what it was.
    """
    if threshold is None or not len(before):
        return threshold
    rank = int((before <= threshold).sum())
    if rank == len(before):
        return max(threshold, float(after.max()))
    return float(np.sort(after)[max(0, rank - 1)])


def scores(probabilities: NDArray[np.floating], score: Score) -> NDArray[np.float64]:
    """How strange each class would be, float64[N, C] from 0 to 1.

    `lac`: one minus its probability (Sadinle, Lei & Wasserman, J Am Stat Assoc 2019;114:223), the
    smallest sets. `aps`: the probability of all classes at least as likely, itself included
    (Romano, Sesia & Candès, NeurIPS 2020, not randomised), larger sets that adapt to hard cells.
    """
    rows = probabilities.astype(np.float64)
    if score == "lac":
        return 1.0 - rows
    order = np.argsort(-rows, axis=1, kind="stable")
    total = np.cumsum(np.take_along_axis(rows, order, axis=1), axis=1)
    found = np.empty_like(rows)
    np.put_along_axis(found, order, np.minimum(total, 1.0), axis=1)
    return found


def _quantile(found: NDArray[np.float64], alpha: float) -> float | None:
    """The corrected empirical quantile; None if so few cells cannot promise 1 - alpha."""
    rank = math.ceil((len(found) + 1) * (1.0 - alpha) - 1e-9)
    return float(np.sort(found)[rank - 1]) if rank <= len(found) else None
