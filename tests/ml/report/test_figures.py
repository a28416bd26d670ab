"""Figures of the report against scikit-learn's and SciPy's, and answers known by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference

from ml import metrics
from ml.data.records import Record
from ml.errors import DatasetError
from ml.report.bootstrap import interval, replicate_weights
from ml.report.comparison import compare, mcnemar
from ml.report.curves import one_against_rest, reliability, risk_coverage
from ml.report.figures import examine_subject
from ml.report.subject import Subject
from ml.report.weighted import weighted_figures

NAMES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")


def draw_subject(seed: int, count: int = 300, *, occurring: int = 4, skill: float = 2.0) -> Subject:
    """Cells in groups of about three, guessed with some skill."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(occurring, size=count)
    logits = rng.normal(size=(count, 4))
    logits[np.arange(count), truth] += skill
    powers = np.exp(logits)
    records = [
        Record(Path(f"{index}.png"), NAMES[label], group=str(index // 3), key=f"{index}.png")
        for index, label in enumerate(truth)
    ]
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    return Subject("drawn", records, NAMES, probabilities, probabilities.max(axis=1) > 0.6)


def test_figures_agree_with_scikit_learn() -> None:
    subject = draw_subject(1)
    truth, guesses = subject.truth, subject.probabilities.argmax(axis=1)
    view = examine_subject(subject, None)["all_classes"]
    assert view["accuracy"]["value"] == pytest.approx(reference.accuracy_score(truth, guesses))
    assert view["balanced_accuracy"]["value"] == pytest.approx(
        reference.balanced_accuracy_score(truth, guesses)
    )
    assert view["macro_f1"]["value"] == pytest.approx(
        reference.f1_score(truth, guesses, average="macro")
    )
    assert view["auroc"]["value"] == pytest.approx(
        reference.roc_auc_score(truth, subject.probabilities, multi_class="ovr")
    )
    assert view["nll"] == pytest.approx(reference.log_loss(truth, subject.probabilities))
    assert view["ece"]["value"] == pytest.approx(view["reliability"]["ece"])
    assert view["ece"]["value"] == pytest.approx(
        metrics.expected_calibration_error(subject.probabilities, truth)
    )
    for name in ("balanced_accuracy", "macro_f1", "auroc", "ece"):
        low, high = view[name]["interval_95"]
        assert low < high
        if name != "ece":  # biased upwards, so its interval may lie above it
            assert low <= view[name]["value"] <= high


def test_weights_count_cells_as_often_as_scikit_learn_does() -> None:
    subject = draw_subject(2)
    truth = subject.truth
    weights = np.random.default_rng(3).integers(0, 4, size=len(truth)).astype(float)
    coarse = subject.probabilities.round(1)
    found = weighted_figures(coarse, truth)(weights)
    for index in range(4):
        expected = reference.roc_auc_score(truth == index, coarse[:, index], sample_weight=weights)
        assert found["class_auroc"][index] == pytest.approx(expected)
    guesses = coarse.argmax(axis=1)
    expected = reference.f1_score(truth, guesses, average=None, sample_weight=weights)
    np.testing.assert_allclose(found["f1"], expected)


def test_one_against_rest_agrees_with_scikit_learn() -> None:
    subject = draw_subject(4)
    is_true = subject.truth == 1
    found = one_against_rest(subject.probabilities[:, 1], is_true)
    assert found is not None
    assert found["average_precision"] == pytest.approx(
        reference.average_precision_score(is_true, subject.probabilities[:, 1])
    )
    roc = found["roc"]
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    expected = reference.roc_auc_score(is_true, subject.probabilities[:, 1])
    assert area == pytest.approx(expected, abs=0.002)
    assert one_against_rest(subject.probabilities[:, 1], np.zeros(300, dtype=bool)) is None


def test_reliability_by_count_has_bins_of_one_size() -> None:
    subject = draw_subject(5)
    found = reliability(subject.probabilities, subject.truth, is_adaptive=True)
    assert {row["count"] for row in found["bins"]} == {20}


def test_risk_is_the_error_of_the_most_confident() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    found = risk_coverage(probabilities, np.array([0, 0, 1, 0]))
    assert found["risk"] == pytest.approx([0, 0, 1 / 3, 1 / 4], abs=1e-5)
    assert found["aurc"] == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)
    assert found["at_risk"]["1 %"] == 0.5


def test_cells_of_equal_confidence_are_accepted_together() -> None:
    probabilities = np.tile([0.8, 0.2], (4, 1))
    found = risk_coverage(probabilities, np.array([0, 0, 0, 1]))
    assert found["risk"] == [0.25] * 4
    assert found["at_risk"]["5 %"] == 0.0


def test_the_bootstrap_draws_whole_groups() -> None:
    groups = np.array([0, 0, 0, 1, 2, 2])
    for weights in replicate_weights(groups, replicates=20):
        assert weights[0] == weights[1] == weights[2]
        assert weights[4] == weights[5]
        assert weights[[0, 3, 4]].sum() == 3
    assert interval(np.array([np.nan, np.nan, 1.0])) is None


def test_larger_groups_widen_the_interval() -> None:
    alone = np.arange(600)
    together = alone // 20
    correct = (together % 5 != 0).astype(float)
    widths = []
    for groups in (alone, together):
        drawn = [weights @ correct / weights.sum() for weights in replicate_weights(groups)]
        low, high = interval(np.array(drawn)) or (0.0, 0.0)
        widths.append(high - low)
    assert widths[1] > 3 * widths[0]


def test_a_source_with_some_of_the_classes_has_both_views() -> None:
    found = examine_subject(draw_subject(6, occurring=3), None)
    assert found["occurring_classes"]["class_names"] == list(NAMES[:3])
    everything, some = found["all_classes"], found["occurring_classes"]
    assert some["accuracy"]["value"] >= everything["accuracy"]["value"]
    assert everything["classes"]["eosinophil"]["auroc"]["value"] is None
    assert everything["classes"]["eosinophil"]["recall"]["value"] is None
    json.dumps(found, allow_nan=False)


def test_sets_are_never_examined_on_what_fitted_them() -> None:
    subject = draw_subject(7, count=900)
    rows = examine_subject(subject, subject)["conformal"]
    assert len(rows) == 12
    assert all(row["is_cross_fitted"] for row in rows)
    for row in rows:
        assert row["coverage"]["value"] >= 1 - row["alpha"] - 0.03
    other = examine_subject(subject, draw_subject(8, count=600))["conformal"]
    assert not any(row["is_cross_fitted"] for row in other)


def test_worst_errors_come_most_confident_first() -> None:
    subject = draw_subject(9)
    errors = examine_subject(subject, None)["errors"]
    confidence = [row["confidence"] for row in errors["worst"]]
    assert confidence == sorted(confidence, reverse=True)
    assert len(confidence) == min(20, errors["count"])
    assert all(row["truth"] != row["predicted"] for row in errors["worst"])


def test_mcnemar_is_the_binomial_of_the_discordant_cells() -> None:
    first = np.array([True] * 9 + [False] * 2 + [True] * 5)
    second = np.array([False] * 9 + [True] * 2 + [True] * 5)
    found = mcnemar(first, second)
    assert (found["only_first_right"], found["only_second_right"]) == (9, 2)
    assert found["p_value"] == pytest.approx(2 * sum([1, 11, 55]) / 2**11)
    assert mcnemar(first, first)["p_value"] == 1.0


def test_comparison_is_paired() -> None:
    good, poor = draw_subject(10, skill=3.0), draw_subject(10, skill=1.0)
    found = compare(good, poor)["differences"]["accuracy"]
    assert found["difference"] == pytest.approx(found["first"] - found["second"])
    assert found["interval_95"][0] > 0
    same = compare(good, good)["differences"]["auroc"]
    assert (same["difference"], same["interval_95"]) == (0.0, [0.0, 0.0])
    turned = replace(
        poor,
        class_names=NAMES[::-1],
        probabilities=np.ascontiguousarray(poor.probabilities[:, ::-1]),
    )
    assert compare(good, turned) == compare(good, poor)
    with pytest.raises(DatasetError, match="same cells"):
        compare(good, draw_subject(11, count=30))
