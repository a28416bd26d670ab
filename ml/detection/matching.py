"""Match found boxes with true ones as COCO does, and what follows: precision, recall, counts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ml.detection.candidates import Candidates
from ml.detection.objects import KINDS

FLOOR: Final = 0.02
"""Least confidence of what is examined: precision is wanted down to a recall of nearly all."""

OVERLAPS: Final = np.linspace(0.5, 0.95, 10)
"""Least intersection over union of a match; the mean over all is COCO's AP."""
_RECALLS: Final = np.linspace(0.0, 1.0, 101)
_MOST: Final = 2000
"""Most boxes of a kind that count in one field."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found of one kind in F fields, the surest first within each field.

    `scores` float32[D]; `fields` int64[D], the number of each one's field; `is_true` bool[10, D],
    whether it is matched at each of OVERLAPS; `positives` int64[F], true boxes in each field.
    """

    scores: NDArray[np.float32]
    fields: NDArray[np.int64]
    is_true: NDArray[np.bool_]
    positives: NDArray[np.int64]


def match(truth: Sequence[Candidates], found: Sequence[Candidates]) -> tuple[Matches, ...]:
    """Match each field's candidates with its true boxes, by pycocotools; one result for each kind.

    The surest candidate takes the true box that it overlaps most, if no surer one has.
    """
    with redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        evaluation = COCOeval(_to_coco(truth), _to_coco(found), "bbox")
        evaluation.params.imgIds = list(range(1, len(truth) + 1))
        evaluation.params.catIds = list(range(1, len(KINDS) + 1))
        evaluation.params.areaRng = [[0.0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [_MOST]
        evaluation.evaluate()
    rows = evaluation.evalImgs
    count = len(truth)
    return tuple(_to_matches(rows[kind * count : (kind + 1) * count]) for kind in range(len(KINDS)))


def average_precision(
    matches: Matches,
    weights: NDArray[np.float64] | None = None,
    *,
    levels: int = len(OVERLAPS),
) -> NDArray[np.float64]:
    """Average precision at the first of OVERLAPS, float64[levels]; NaN if nothing is to be found.

    COCO's: the mean, over 101 recalls, of the best precision at that recall or a higher one.
    `weights` float64[F] count each field so many times, for the bootstrap; once if None.
    """
    times = np.ones(len(matches.positives)) if weights is None else weights
    total = float((matches.positives * times).sum())
    if total == 0.0:
        return np.full(levels, np.nan)
    return np.array([_area_below(*curve(matches, level, times), total) for level in range(levels)])


def curve(
    matches: Matches, level: int, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many are true and how many false among the surest, float64[D] each, at one overlap."""
    order = np.argsort(-matches.scores, kind="stable")
    times = weights[matches.fields[order]]
    is_true = matches.is_true[level, order]
    return np.cumsum(times * is_true), np.cumsum(times * ~is_true)


def recall_at(
    matches: Matches, weights: NDArray[np.float64] | None = None, *, false_per_field: float
) -> tuple[float, float]:
    """The best recall, at an overlap of one half, and its threshold, at so few false boxes a field.

    NaN and 1 where nothing is to be found; `weights` as in `average_precision`.
    """
    times = np.ones(len(matches.positives)) if weights is None else weights
    total = float((matches.positives * times).sum())
    if total == 0.0 or len(matches.scores) == 0:
        return (0.0 if total else float("nan")), 1.0
    true, false = curve(matches, 0, times)
    scores = -np.sort(-matches.scores)
    is_last = np.append(scores[1:] < scores[:-1], True)
    good = np.flatnonzero((false <= false_per_field * times.sum()) & is_last)
    if len(good) == 0:
        return 0.0, 1.0
    return float(true[good[-1]] / total), float(scores[good[-1]])


def unbiased_threshold(matches: Matches) -> float:
    """The confidence at which as many boxes are found as there are; 0.5 if none are."""
    wanted = int(matches.positives.sum())
    if not wanted or len(matches.scores) < wanted:
        return 0.5
    return float(-np.partition(-matches.scores, wanted - 1)[wanted - 1])


def _area_below(true: NDArray[np.float64], false: NDArray[np.float64], total: float) -> float:
    named = true + false
    precision = np.divide(true, named, out=np.zeros_like(true), where=named > 0)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    first = np.searchsorted(true / total, _RECALLS - 1e-12, side="left")
    return float(np.append(best, 0.0)[first].mean())


def _to_coco(pictures: Sequence[Candidates]) -> Any:
    """The boxes of every picture in pycocotools' form; the score of a true box is idle."""
    coco = COCO()
    coco.dataset = {
        "images": [{"id": number} for number in range(1, len(pictures) + 1)],
        "categories": [{"id": kind, "name": name} for kind, name in enumerate(KINDS, 1)],
        "annotations": _annotations(pictures),
    }
    coco.createIndex()
    return coco


def _annotations(pictures: Sequence[Candidates]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, each in enumerate(pictures, 1):
        for box, kind, score in zip(each.boxes, each.kinds, each.scores, strict=True):
            x0, y0, x1, y1 = map(float, box)
            rows.append(
                {
                    "id": len(rows) + 1,
                    "image_id": number,
                    "category_id": int(kind) + 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                    "iscrowd": 0,
                    "score": float(score),
                }
            )
    return rows


def _to_matches(rows: Sequence[dict[str, Any] | None]) -> Matches:
    parts = [(number, row) for number, row in enumerate(rows) if row is not None]
    matched = [np.asarray(row["dtMatches"]) > 0 for _, row in parts]
    positives = np.zeros(len(rows), dtype=np.int64)
    for number, row in parts:
        positives[number] = len(row["gtIds"])
    return Matches(
        scores=np.array([score for _, row in parts for score in row["dtScores"]], np.float32),
        fields=np.array([n for n, row in parts for _ in row["dtScores"]], np.int64),
        is_true=np.concatenate([np.zeros((len(OVERLAPS), 0), bool), *matched], axis=1),
        positives=positives,
    )
