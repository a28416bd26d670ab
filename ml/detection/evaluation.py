"""Examine a detector as it serves on fields whose boxes are known, source by source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.detection.candidates import Candidates
from ml.detection.fields import SOURCES, AnnotatedField, densest
from ml.detection.inference import FieldDetector
from ml.detection.matching import (
    FLOOR,
    Matches,
    average_precision,
    curve,
    match,
    recall_at,
    unbiased_threshold,
)
from ml.detection.objects import KINDS, LEUKOCYTE, FieldScale
from ml.preprocessing import decode_image
from ml.report.bootstrap import interval, replicate_weights

FALSE_WHITE_CELLS: Final = 0.1
"""False white cells a field at which their recall is stated."""
ALL: Final = "all"
"""Every picture once, with the denser boxes where there are two lists of them."""

COMPLETE: Final = "complete"
"""The pictures whose boxes leave out nothing: TXL-PBC's, of all three laboratories."""
_FALSE_REPORTED: Final = 0.02
"""False white cells a field that the released threshold lets through."""
_LEAST_THRESHOLD: Final = 0.05
_POINTS: Final = 200


@dataclass(frozen=True, slots=True)
class ExaminedField:
    """A field, its true boxes, what was found in it, and its scale as found and as annotated."""

    annotated: AnnotatedField
    truth: Candidates
    found: Candidates
    scale: FieldScale
    red_cell: float


def examine_fields(
    detector: FieldDetector,
    fields: Sequence[AnnotatedField],
    *,
    on_progress: Callable[[], object] = lambda: None,
) -> list[ExaminedField]:
    """Let a detector read fields one by one, from their files, as serving does."""
    examined = []
    for annotated in fields:
        pixels = decode_image(annotated.record.path.read_bytes()).pixels
        scale, found = detector.find(pixels, floor=FLOOR)
        examined.append(
            ExaminedField(
                annotated=annotated,
                truth=Candidates(
                    annotated.boxes, annotated.kinds, np.ones(len(annotated.kinds), np.float32)
                ),
                found=found,
                scale=scale,
                red_cell=annotated.red_cell(pixels.shape[1], pixels.shape[0]),
            )
        )
        on_progress()
    return examined


def choose_thresholds(examined: Sequence[ExaminedField]) -> dict[str, float]:
    """Least confidences by kind: of white cells the lowest with one false box in fifty fields.

    A white cell that is missed is never seen; a false one is looked at. Of the others, which are
    only counted, that at which as many are found as there are, in fields whose boxes are complete,
    if there are any.
    """
    chosen = by_source(examined)[ALL]
    complete = _match([each for each in chosen if each.annotated.is_complete] or chosen)
    thresholds: dict[str, float] = {}
    for kind, matches in enumerate(_match(chosen)):
        least = unbiased_threshold(complete[kind])
        if kind == LEUKOCYTE:
            _, least = recall_at(matches, false_per_field=_FALSE_REPORTED)
        limits = (_LEAST_THRESHOLD, 1.0 - _LEAST_THRESHOLD)
        thresholds[KINDS[kind]] = round(float(np.clip(least, *limits)), 4)
    return thresholds


def by_source(examined: Sequence[ExaminedField]) -> dict[str, list[ExaminedField]]:
    """The fields of each source that has any; those of `COMPLETE`; each picture once in `ALL`."""
    once = {each.record.key for each in densest([one.annotated for one in examined])}
    found = {
        source: [each for each in examined if each.annotated.source == source] for source in SOURCES
    }
    found[COMPLETE] = [each for each in examined if each.annotated.is_complete]
    found[ALL] = [each for each in examined if each.annotated.record.key in once]
    return {source: fields for source, fields in found.items() if fields}


def figures_by_source(
    examined: Sequence[ExaminedField], thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """`figures_of` the fields of each source."""
    return {
        source: figures_of(fields, thresholds) for source, fields in by_source(examined).items()
    }


def figures_of(
    examined: Sequence[ExaminedField], thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """Average precision, recall and count errors, with 95 % intervals by drawing groups again."""
    matches = _match(examined)
    names = sorted({each.annotated.record.group for each in examined})
    groups = np.array([names.index(each.annotated.record.group) for each in examined])
    draws = list(replicate_weights(groups))
    kinds = {
        name: _kind_figures(examined, matches[kind], kind, thresholds[name], draws)
        for kind, name in enumerate(KINDS)
    }
    means = np.nanmean([each.pop("ap50_draws") for each in kinds.values()], axis=0)
    values = [each["ap50"]["value"] for each in kinds.values() if each["ap50"]["value"] is not None]
    errors = [abs(each.scale.red_cell / each.red_cell - 1.0) for each in examined]
    return {
        "fields": len(examined),
        "groups": len(names),
        "map50": _share(float(np.mean(values)), means),
        "kinds": kinds,
        "leukocyte_recall": _white_recall(matches[LEUKOCYTE], draws),
        "scale_error": {
            "median": round(float(np.median(errors)), 4),
            "largest": round(float(np.max(errors)), 4),
        },
    }


def curves_of(examined: Sequence[ExaminedField]) -> dict[str, dict[str, list[float]]]:
    """Precision against recall at an overlap of one half, by kind, thinned to 200 points."""
    curves: dict[str, dict[str, list[float]]] = {}
    for name, matches in zip(KINDS, _match(examined), strict=True):
        total = int(matches.positives.sum())
        if total == 0 or len(matches.scores) == 0:
            continue
        true, false = curve(matches, 0, np.ones(len(matches.positives)))
        picked = np.unique(np.linspace(0, len(true) - 1, _POINTS).round().astype(int))
        curves[name] = {
            "recall": (true[picked] / total).round(4).tolist(),
            "precision": (true / (true + false))[picked].round(4).tolist(),
        }
    return curves


def _kind_figures(
    examined: Sequence[ExaminedField],
    matches: Matches,
    kind: int,
    threshold: float,
    draws: Sequence[NDArray[np.float64]],
) -> dict[str, Any]:
    precision = average_precision(matches)
    drawn = np.array([average_precision(matches, draw, levels=1)[0] for draw in draws])
    is_reported = matches.scores >= threshold
    true = int((matches.is_true[0] & is_reported).sum())
    reported, boxes = int(is_reported.sum()), int(matches.positives.sum())
    counts = np.bincount(matches.fields[is_reported], minlength=len(examined))
    return {
        "boxes": boxes,
        "ap50": _share(float(precision[0]), drawn),
        "ap50_draws": drawn,
        "ap50_95": _number(float(precision.mean())),
        "recall": _number(true / boxes) if boxes else None,
        "precision": _number(true / reported) if reported else None,
        "false_per_field": round((reported - true) / len(examined), 4),
        "count_error": _count_error(counts, matches.positives, draws),
    }


def _white_recall(matches: Matches, draws: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    recall, least = recall_at(matches, false_per_field=FALSE_WHITE_CELLS)
    drawn = [recall_at(matches, draw, false_per_field=FALSE_WHITE_CELLS)[0] for draw in draws]
    return {
        "false_per_field": FALSE_WHITE_CELLS,
        "threshold": round(least, 4),
        **_share(recall, np.array(drawn)),
    }


def _count_error(
    counts: NDArray[np.int64],
    positives: NDArray[np.int64],
    draws: Sequence[NDArray[np.float64]],
) -> dict[str, Any]:
    """By how much of the true count a field's count is off, in the median; and all fields' sum.

    Fields in which there is nothing of the kind have no such share and count in the sum alone.
    """
    some = positives > 0
    if not some.any():
        return {"fields": 0, "median": None, "total": None}
    errors = np.abs(counts[some] - positives[some]) / positives[some]
    drawn = [np.repeat(errors, draw[some].astype(int)) for draw in draws]
    medians = np.array([np.median(each) if len(each) else np.nan for each in drawn])
    return {
        "fields": int(some.sum()),
        "median": _share(float(np.median(errors)), medians),
        "total": round(float(counts.sum() / positives.sum() - 1.0), 4),
    }


def _match(examined: Sequence[ExaminedField]) -> tuple[Matches, ...]:
    return match([each.truth for each in examined], [each.found for each in examined])


def _share(value: float, drawn: NDArray[np.float64]) -> dict[str, Any]:
    bounds = interval(drawn)
    rounded = None if bounds is None else [round(bound, 4) for bound in bounds]
    return {"value": _number(value), "interval_95": rounded}


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
