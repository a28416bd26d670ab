"""The drift board: what came in week by week, held against a baseline of the same model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from django.db.models import (
    BooleanField,
    CharField,
    Count,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import MD5, Cast, Coalesce, TruncWeek

from classifier.agreement import Estimate, proportion
from classifier.models import CaseOrigin, Correction, ModelVersion, Prediction
from ml.appearance import SIGNALS as LOOKS
from ml.embedding import unpack
from quality.drift import Reals, Shift, mean_discrepancy, population_stability
from quality.models import Baseline, CellAppearance
from quality.periods import Period

SAMPLE: Final = 600
"""Cells of a week, or of the baseline, whose figures are compared."""
FIRST_BASELINE: Final = timedelta(days=28)

SIGNALS: Final[Mapping[str, tuple[str, str]]] = {
    "light": ("Light", "brightness of the empty slide"),
    "warmth": ("Lamp's colour", "red over blue of the empty slide"),
    "density": ("Stain's depth", "density of the chromatin in red light"),
    "hue": ("Stain's hue", "blue over red density of the chromatin"),
    "confidence": ("Confidence", "probability of the model's class"),
    "embedding": ("Embedding", "where the model places the cells (MMD²)"),
}
"""Name -> what it is called, and what it is; all but the last are compared by PSI."""

GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "class": ("Class", "cell_type"),
    "user": ("Uploaded by", "cell__image__uploaded_by__full_name"),
    "source": ("Source", "source"),
}


@dataclass(frozen=True, slots=True)
class Rates:
    """How often the model referred, was overruled, and had the truth in its set.

    `sure` are cells that it did not refer and that a person named, `overruled` those of them that
    were named otherwise. `named` are all that a person named, `covered` those whose class was
    among the model's candidates.
    """

    count: int
    referred: int
    sure: int
    overruled: int
    named: int
    covered: int

    @property
    def share_referred(self) -> Estimate | None:
        """Of all cells, with its Clopper-Pearson interval."""
        return proportion(self.referred, self.count)

    @property
    def share_overruled(self) -> Estimate | None:
        """Of those that it was sure of and a person named."""
        return proportion(self.overruled, self.sure)

    @property
    def coverage(self) -> Estimate | None:
        """Live coverage of the conformal sets, on what a person named."""
        return proportion(self.covered, self.named)


NOTHING: Final = Rates(0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Week:
    """One week: its rates, and each figure's shift from the baseline (None: too few cells)."""

    monday: date
    rates: Rates
    shifts: Mapping[str, Shift | None]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the page shows of one model."""

    model: ModelVersion
    baseline: Period
    is_set: bool
    baseline_rates: Rates
    weeks: list[Week]
    groups: list[tuple[str, Rates]]


def baseline_of(model: ModelVersion) -> tuple[Period, bool] | None:
    """Return the days to compare with, and whether somebody set them; None before any reading.

    Until an administrator sets some, they are the first four weeks in which the model read.
    """
    if found := Baseline.objects.filter(model_version=model).first():
        return Period(found.first, found.last), True
    first = _read_by(model).order_by("created_at").values_list("created_at", flat=True).first()
    if first is None:
        return None
    return Period(first.date(), first.date() + FIRST_BASELINE - timedelta(days=1)), False


def board(model: ModelVersion, *, period: Period, group: str) -> Board | None:
    """Return the board of a model; None before it read anything."""
    found = baseline_of(model)
    if found is None:
        return None
    baseline, is_set = found
    rates = _rates(_within(_judged(model), period), TruncWeek("created_at"))
    by_week = {moment.date(): value for moment, value in rates}
    weeks = [
        Week(monday, by_week.get(monday, NOTHING), shifts_of(model, _week(monday), baseline))
        for monday in period.weeks()
    ]
    of_baseline = _rates(_within(_judged(model), baseline), Value(1))
    by_group = _rates(_within(_judged(model), period), F(GROUPS[group][1]))
    return Board(
        model, baseline, is_set, of_baseline[0][1] if of_baseline else NOTHING, weeks,
        [(str(key), value) for key, value in by_group],
    )  # fmt: skip


def shifts_of(model: ModelVersion, period: Period, baseline: Period) -> dict[str, Shift | None]:
    """Return how far each figure of the period lies from the baseline."""
    before, now = _looks(model, baseline), _looks(model, period)
    found = {
        name: population_stability(before[:, place], now[:, place])
        for place, name in enumerate(LOOKS)
    }
    old, new = _placed(model, baseline), _placed(model, period)
    found["confidence"] = population_stability(old[0], new[0])
    found["embedding"] = mean_discrepancy(old[1], new[1])
    return found


def _week(monday: date) -> Period:
    return Period(monday, monday + timedelta(days=6))


def _read_by(model: ModelVersion) -> "QuerySet[Prediction]":
    """Return what a model read; readings that a case took over from another count there alone."""
    copies = CaseOrigin.objects.values("case")
    read = Prediction.objects.filter(run__model_version=model)
    return read.exclude(run__image__case__in=copies)


def _within(rows: "QuerySet[Any]", period: Period, at: str = "created_at") -> "QuerySet[Any]":
    return rows.filter(**{f"{at}__gte": period.begins_at, f"{at}__lt": period.ends_before})


def _judged(model: ModelVersion) -> "QuerySet[Prediction]":
    """Return the model's predictions with what the last person said of each cell."""
    last = Correction.objects.filter(cell=OuterRef("cell")).order_by("-pk")
    human = Coalesce(Subquery(last.values("cell_type")[:1]), Value(""))
    is_in_set = Func(
        F("candidates"), F("human"), function="jsonb_exists", output_field=BooleanField()
    )
    vendor = F("cell__image__slide__vendor")
    source = Coalesce(vendor, F("cell__image__kind"), output_field=CharField())
    return _read_by(model).annotate(human=human, is_in_set=is_in_set, source=source)


def _rates(rows: "QuerySet[Any]", key: Any) -> list[tuple[Any, Rates]]:
    named = ~Q(human="")
    sure = named & Q(is_referred=False)
    wanted = (
        Q(), Q(is_referred=True), sure, sure & ~Q(human=F("cell_type")), named,
        named & Q(is_in_set=True),
    )  # fmt: skip
    counts = {f"count_{place}": Count("pk", filter=each) for place, each in enumerate(wanted)}
    found = rows.order_by().annotate(key=key).values("key").annotate(**counts).order_by("key")
    return [(key, Rates(*numbers)) for key, *numbers in found.values_list("key", *counts)]


def _looks(model: ModelVersion, period: Period) -> Reals:
    """Return the figures of `ml.appearance` of a sample of the period's cells, float[N, 4]."""
    read = _within(_read_by(model), period).order_by().values("cell")
    rows = CellAppearance.objects.filter(cell__in=read)
    return _array(_sampled(rows).values_list(*LOOKS), len(LOOKS))


def _placed(model: ModelVersion, period: Period) -> tuple[Reals, Reals]:
    """Return confidences float[N] and embeddings float[M, D] of a sample of the period's cells."""
    rows = _sampled(_within(_read_by(model), period)).values_list("confidence", "embedding")
    found = list(rows)
    vectors = [unpack(stored) for _, stored in found if stored is not None]
    stacked = np.stack(vectors).astype(np.float64) if vectors else np.zeros((0, 1))
    return np.array([confidence for confidence, _ in found], dtype=np.float64), stacked


def _sampled(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return the same few rows each time, in an order that follows nothing."""
    return rows.order_by(MD5(Cast("pk", CharField())))[:SAMPLE]


def _array(rows: Iterable[tuple[float, ...]], width: int) -> Reals:
    found = list(rows)
    return np.array(found, dtype=np.float64).reshape(len(found), width)
