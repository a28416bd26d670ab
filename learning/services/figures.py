"""Figures of an evaluation, by the same functions with which releases are examined."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.enums import CellType
from learning.models import EvaluatedCell, Evaluation
from ml.evaluation import examine
from ml.metrics import Share
from ml.report.bootstrap import interval, replicate_weights
from ml.report.noninferiority import Cells, Side
from ml.report.weighted import weighted_figures


def class_order(evaluations: Sequence[Evaluation]) -> list[str]:
    """The classes that any of the versions knows or any of the cells has, in the usual order."""
    known = {name for each in evaluations for name in each.version.class_names}
    labels = EvaluatedCell.objects.filter(evaluation__in=evaluations)
    known |= set(labels.values_list("cell__cell_type", flat=True).distinct())
    return [name for name in CellType.values if name in known]


def cells_of(evaluation: Evaluation, class_names: Sequence[str]) -> Cells:
    """The truth of an evaluation's cells, by key, with the groups that are drawn together."""
    rows = list(_rows(evaluation).values_list("cell__cell_type", "cell__group"))
    index = {name: place for place, name in enumerate(class_names)}
    groups = np.unique([group for _, group in rows], return_inverse=True)[1]
    truth = np.array([index[label] for label, _ in rows], dtype=np.int64)
    return Cells(truth=truth, class_names=class_names, groups=groups.astype(np.int64))


def side_of(evaluation: Evaluation, class_names: Sequence[str]) -> Side:
    """What the version said of the cells, by key; classes that it doesn't know have 0."""
    rows = list(_rows(evaluation).values_list("probabilities", "is_referred"))
    table = [[told.get(name, 0.0) for name in class_names] for told, _ in rows]
    return Side(
        probabilities=np.array(table, dtype=np.float64),
        is_named=np.array([not referred for _, referred in rows]),
    )


def figures_of(evaluation: Evaluation) -> dict[str, Any]:
    """Accuracy, recall and precision by class, calibration, referral and coverage, with intervals.

    Coverage is the share of cells whose true class the version did not rule out; null where it
    leaves no sets.
    """
    names = class_order([evaluation])
    cells, side = cells_of(evaluation, names), side_of(evaluation, names)
    found = examine(side.probabilities, cells.truth, names, is_accepted=side.is_named).as_dict()
    return {
        **found,
        "class_names": names,
        "balanced_interval": _balanced_interval(side.probabilities, cells),
        "referred": Share(int((~side.is_named).sum()), len(cells.truth)).as_dict(),
        "coverage": _coverage(evaluation),
        "unknown": sorted(set(names) - set(evaluation.version.class_names)),
    }


def _rows(evaluation: Evaluation) -> Any:
    return evaluation.cells.order_by("cell__key")


def _balanced_interval(probabilities: NDArray[np.float64], cells: Cells) -> list[float] | None:
    figures = weighted_figures(probabilities, cells.truth)
    drawn = [float(figures(each)["balanced_accuracy"][0]) for each in replicate_weights(
        cells.groups)]  # fmt: skip
    return interval(np.array(drawn))


def _coverage(evaluation: Evaluation) -> dict[str, Any] | None:
    rows = list(evaluation.cells.values_list("candidates", "cell__cell_type"))
    if not any(candidates for candidates, _ in rows):
        return None
    return Share(sum(truth in kept for kept, truth in rows), len(rows)).as_dict()
