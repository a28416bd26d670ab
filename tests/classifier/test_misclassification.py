"""The interval that carries the classifier's confusion: what it is, and what it holds."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from benchmarks.interval_coverage import ERRORS, Setting, simulate, simulate_slide
from classifier.counting import clopper_pearson
from classifier.findings import Mark
from classifier.misclassification import Evidence, draw_counts, intervals
from classifier.models import ModelVersion
from classifier.selectors.differential import count_cells, get_differential
from classifier.selectors.naming import MANY_MODELS, NO_CONFUSION, count_unconfirmed, evidence_of
from ml.classes import CELL_CLASSES, LEUKOCYTES
from tests.reviewing import MakeCase, cells_of, read_image

SIZE = len(CELL_CLASSES)
PERFECT = tuple(tuple(1000 * (row == column) for column in range(SIZE)) for row in range(SIZE))
# 30 of 200 immature granulocytes are called neutrophils; all else is right.
HIDES_GRANULOCYTES = tuple(
    tuple(
        {(5, 5): 170, (5, 0): 30}.get((row, column), 200 * (row == column and row != 5))
        for column in range(SIZE)
    )
    for row in range(SIZE)
)


def evidence(**changed: object) -> Evidence:
    made = Evidence(
        class_names=CELL_CLASSES,
        confusion=HIDES_GRANULOCYTES,
        unconfirmed={"neutrophil": 140, "lymphocyte": 40, "immature_granulocyte": 20},
        named={},
        known={},
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def test_is_clopper_and_pearsons_where_a_human_named_every_cell() -> None:
    known = {"neutrophil": 120, "lymphocyte": 60, "blast": 20, "platelet": 30}
    found = intervals(evidence(unconfirmed={}, known=known), (*LEUKOCYTES, "blast"))
    for name in (*LEUKOCYTES, "blast"):
        assert found[name] == pytest.approx(clopper_pearson(known.get(name, 0), 200), abs=1e-12)


def test_is_nearly_that_where_the_machine_hardly_errs() -> None:
    found = intervals(evidence(confusion=PERFECT), LEUKOCYTES)
    for name, count in (("neutrophil", 140), ("lymphocyte", 40), ("immature_granulocyte", 20)):
        assert found[name] == pytest.approx(clopper_pearson(count, 200), abs=0.01)


def test_moves_towards_the_class_that_the_machine_hides() -> None:
    found = intervals(evidence(), LEUKOCYTES)
    plain = clopper_pearson(20, 200)
    assert found["immature_granulocyte"][1] > plain[1] + 0.01
    assert found["neutrophil"][0] < clopper_pearson(140, 200)[0] - 0.01
    assert found["lymphocyte"] == pytest.approx(clopper_pearson(40, 200), abs=0.01)


def test_every_confirmed_cell_brings_it_nearer_to_the_plain_one() -> None:
    widths = []
    for confirmed in (0, 70, 140):
        known = {"neutrophil": confirmed, "immature_granulocyte": 20, "lymphocyte": 40}
        named = {(name, name): count for name, count in known.items() if count}
        left = {"neutrophil": 140 - confirmed} if confirmed < 140 else {}
        low, high = intervals(evidence(unconfirmed=left, known=known, named=named), LEUKOCYTES)[
            "immature_granulocyte"
        ]
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < widths[0]


def test_learns_from_the_cases_own_cells_that_the_machine_errs_here() -> None:
    checked = {("neutrophil", "neutrophil"): 20, ("immature_granulocyte", "neutrophil"): 20}
    known = {"neutrophil": 20, "immature_granulocyte": 20}
    told = intervals(evidence(named=checked, known=known), LEUKOCYTES)
    untold = intervals(evidence(named={}, known=known), LEUKOCYTES)
    assert told["immature_granulocyte"][1] > untold["immature_granulocyte"][1] + 0.02


def test_corrections_alone_do_not_tell_how_often_the_machine_errs() -> None:
    known = {"immature_granulocyte": 20}
    corrected = {("immature_granulocyte", "neutrophil"): 20}
    one_confirmed = corrected | {("neutrophil", "neutrophil"): 1}
    alone = draw_counts(evidence(named=corrected, known=known))["immature_granulocyte"].mean()
    beside = draw_counts(evidence(named=one_confirmed, known=known | {"neutrophil": 1}))[
        "immature_granulocyte"
    ].mean()
    assert alone < beside - 1


def test_cells_of_a_class_that_the_model_has_no_name_for_count_only_where_named() -> None:
    seen = evidence(known={"blast": 4}, named={("blast", "lymphocyte"): 4})
    assert set(draw_counts(seen)["blast"].tolist()) == {4}
    assert intervals(seen, (*LEUKOCYTES, "blast"))["blast"] == pytest.approx(
        clopper_pearson(4, 204), abs=1e-9
    )


def test_what_may_not_be_a_leukocyte_moves_the_denominator() -> None:
    mixed = np.array(PERFECT)
    mixed[1, 6], mixed[6, 1] = 100, 100  # lymphocytes and erythroblasts for one another
    confusion = tuple(map(tuple, mixed.tolist()))
    seen = evidence(confusion=confusion, unconfirmed={"lymphocyte": 50, "erythroblast": 50})
    totals = sum(draw_counts(seen)[name] for name in LEUKOCYTES)
    assert totals.min() < 50 < totals.max()  # type: ignore[union-attr]


def test_the_same_evidence_gives_the_same_numbers() -> None:
    assert intervals(evidence(), LEUKOCYTES) == intervals(evidence(), LEUKOCYTES)
    other = evidence(unconfirmed={"neutrophil": 141})
    assert evidence().seed != other.seed


def test_nothing_in_the_denominator_gives_no_interval() -> None:
    assert intervals(evidence(unconfirmed={}, known={"platelet": 3}), LEUKOCYTES) == {}


@pytest.mark.parametrize("confusion", [((1, 2), (3, 4)), PERFECT[:-1], ((-1,) * SIZE,) * SIZE])
def test_refuses_what_is_no_confusion_of_its_classes(
    confusion: tuple[tuple[int, ...], ...],
) -> None:
    with pytest.raises(ValueError, match="a confusion counts cells"):
        intervals(evidence(confusion=confusion), LEUKOCYTES)


def test_a_thousand_cells_take_a_moment() -> None:
    setting = Setting("normal", ERRORS["moderate"], ERRORS["moderate"], 0.0, cells=1000)
    seen = simulate_slide(setting, np.random.default_rng(1))
    took = []
    for _ in range(3):
        start = time.process_time()
        intervals(seen, LEUKOCYTES)
        took.append(time.process_time() - start)
    assert min(took) < 0.05


@pytest.mark.parametrize(
    ("mix", "error", "confirmed"),
    [
        ("normal", "strong", 0.0),
        ("left shift", "moderate", 0.0),
        ("left shift", "strong", 0.5),
        ("lymphocytosis", "strong", 0.0),
    ],
)
def test_holds_the_truth_as_often_as_it_says(mix: str, error: str, confirmed: float) -> None:
    """100 slides of six classes: 95 % less three standard errors, classes counted by half.

    The plain interval fails where confusion is strong, which shows that the simulation is hard.
    """
    tally = simulate(Setting(mix, ERRORS[error], ERRORS[error], confirmed), slides=100, seed=3)
    assert tally.carrying[0] >= 0.95 - 3 * (0.95 * 0.05 / 300) ** 0.5
    assert tally.plain[0] < 0.92
    assert tally.carrying[0] > tally.plain[0]


def read_as(machine: str, times: int) -> list[Mark]:
    return [Mark(machine, is_referred=False, human_type="")] * times


@pytest.fixture
def stated(active_model: ModelVersion) -> ModelVersion:
    """The active model, with a confusion that its release states."""
    active_model.confusion_of_accepted = json.loads(json.dumps(HIDES_GRANULOCYTES))
    active_model.save(update_fields=["confusion_of_accepted"])
    return active_model


def test_sorts_the_marks_of_a_case(stated: ModelVersion) -> None:
    marks = [
        *read_as("neutrophil", 5),
        Mark("neutrophil", is_referred=False, human_type="neutrophil"),
        Mark("neutrophil", is_referred=False, human_type="blast"),
        Mark("unidentified", is_referred=True, human_type="monocyte"),
        Mark("unidentified", is_referred=True, human_type=""),
        Mark("", is_referred=True, human_type="basophil"),
        *read_as("erythrocyte", 2),  # the detector's word
    ]
    seen = evidence_of(stated, marks)
    assert seen.unconfirmed == {"neutrophil": 5}
    assert seen.named == {("neutrophil", "neutrophil"): 1, ("blast", "neutrophil"): 1}
    assert seen.known == {
        "neutrophil": 1, "blast": 1, "monocyte": 1, "unidentified": 1, "basophil": 1,
        "erythrocyte": 2,
    }  # fmt: skip
    assert count_unconfirmed(marks) == 7


def test_the_differential_shows_it_beside_the_plain_one(
    classified_case: MakeCase, stated: ModelVersion
) -> None:
    case = classified_case(["neutrophil"])
    marks = [*read_as("neutrophil", 180), *read_as("immature_granulocyte", 20)]
    differential = count_cells(case, marks)
    assert differential.carries_confusion
    assert differential.unconfirmed == 200
    row = next(row for row in differential.rows if row.cell_type == "immature_granulocyte")
    assert row.interval is not None
    assert row.naming_interval is not None
    assert row.widest is not None
    assert row.naming_interval.high > row.interval.high
    assert row.widest.high == row.naming_interval.high
    assert row.widest.low == min(row.interval.low, row.naming_interval.low)
    assert row.naming_interval.high == row.naming_interval.high.quantize(Decimal("0.1"))
    confirmed = [
        Mark(mark.machine_type, is_referred=False, human_type=mark.machine_type) for mark in marks
    ]
    assert not count_cells(case, confirmed).carries_confusion


def test_says_why_there_is_none(
    classified_case: MakeCase, active_model: ModelVersion, correct: Callable[..., object]
) -> None:
    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    assert get_differential(case).naming_note == NO_CONFUSION
    other = ModelVersion.objects.create(
        name="fake", version="0.0.1", sha256="1" * 64, class_names=list(CELL_CLASSES),
        approved_by=active_model.approved_by,
    )  # fmt: skip
    read_image(cells_of(case)[0].image, other, "neutrophil")
    assert get_differential(case).naming_note == MANY_MODELS
    correct(case, [0, 1], "monocyte")
    assert get_differential(case).naming_note == ""
