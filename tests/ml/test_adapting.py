"""A head is shifted towards a new laboratory, calibrated on cells held out, and forgets nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.adapting.enough import LEAST_CELLS, choose_cells
from ml.adapting.examining import cross_examine, read_unadapted, read_with
from ml.adapting.heads import Plane
from ml.adapting.learning import Known, adapt_head, deal, read_known
from ml.artifacts import DEFAULT_RELEASE, WEIGHTS_NAME, ReleaseSpec, read_spec, write_spec
from ml.conformal import fit as fit_quantiles
from ml.data.records import Record
from ml.engine import open_engine
from ml.errors import ArtifactError, DatasetError
from ml.head_fitting import DenseLayer
from ml.looking import LookedAt, look_at
from ml.novelty import fit as fit_novelty
from ml.preprocessing import PREPROCESSING
from ml.referral import Referral
from ml.sources import of_classes, read_bccd_records

NAMES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")
WIDTH = 12
MIDDLES = np.eye(4, WIDTH) * 3.0
STAIN = np.zeros(WIDTH) - 1.6 * np.eye(WIDTH)[0] + 1.6 * np.eye(WIDTH)[1] + 0.4 * np.eye(WIDTH)[6]


def draw_cells(
    each: int, *, seed: int, stain: NDArray[np.float64] | float = 0.0, classes: int = 4
) -> LookedAt:
    """So many cells a class, two in a group, about the middle of their class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(each * classes) % classes
    spots = MIDDLES[labels] + rng.normal(0, 0.8, size=(len(labels), WIDTH)) + stain
    groups = np.arange(len(labels)) // 2
    return LookedAt(spots.astype(np.float32), None, np.zeros(len(labels), np.float32),
                     labels, groups)  # fmt: skip


@pytest.fixture(scope="module")
def known() -> Known:
    """A release of a laboratory at home, whose features are drawn."""
    learned, calibrating = draw_cells(100, seed=1), draw_cells(60, seed=2)
    statistics = fit_novelty(
        learned.first,
        calibrating.first,
        examples=learned.first,
        example_labels=learned.labels,
        example_keys=np.arange(len(learned)).astype(str),
        axes=6,
    )
    head = DenseLayer(MIDDLES.T.copy(), -0.5 * np.square(MIDDLES).sum(axis=1))
    spec = ReleaseSpec(
        name="home", version="1.0.0", architecture="mobilenet_v2", class_names=NAMES,
        input_size=96, preprocessing=PREPROCESSING, sha256="0" * 64, temperature=1.0,
        threshold=0.9, metrics={}, data={}, training={},
    )  # fmt: skip
    draft = Known(spec, head, statistics, Plane.of(statistics))
    found = read_unadapted(draft, calibrating).probabilities
    quantiles = [fit_quantiles(found, calibrating.labels, 0.1).as_dict()]
    spec = replace(spec, conformal={"quantiles": quantiles}, referral=Referral("lac", 0.1))
    return replace(draft, spec=spec)


def right(probabilities: NDArray[np.float64], cells: LookedAt) -> NDArray[np.bool_]:
    return np.asarray(probabilities.argmax(axis=1) == cells.labels)


def test_a_strange_stain_is_read_better_after_adapting(known: Known) -> None:
    mine, others = (draw_cells(40, seed=seed, stain=STAIN) for seed in (3, 4))
    before = right(read_unadapted(known, others).probabilities, others).mean()
    adapted = adapt_head(known, mine)
    after = right(read_with(known, adapted, others).probabilities, others).mean()
    assert after > before + 0.1


def test_classes_that_the_laboratory_lacks_are_not_forgotten(known: Known) -> None:
    mine, home = draw_cells(60, seed=3, stain=STAIN, classes=2), draw_cells(200, seed=5)
    absent = home.labels >= 2
    before = right(read_unadapted(known, home).probabilities, home)[absent].mean()
    adapted = adapt_head(known, mine)
    after = right(read_with(known, adapted, home).probabilities, home)[absent].mean()
    assert adapted.pull is not None
    assert after > before - 0.03


def test_reference_cells_count_for_more_where_every_head_forgets(known: Known) -> None:
    mine, others = (draw_cells(60, seed=seed, stain=STAIN, classes=2) for seed in (3, 4))
    one_pull = partial(adapt_head, known, mine, pulls=(3e-2,))
    forgetting = one_pull(replays=(1.0, 3.0))
    assert (forgetting.pull, forgetting.replay) == (None, None)
    assert forgetting.head is known.head
    adapted = one_pull(replays=(1.0, 3.0, 10.0))
    assert adapted.replay == 10.0
    before, after = (
        right(read_with(known, each, others).probabilities, others).mean()
        for each in (forgetting, adapted)
    )
    assert after > before


def test_what_the_laboratory_lacks_keeps_its_share_of_reference_cells(known: Known) -> None:
    mine = draw_cells(60, seed=3, stain=STAIN, classes=2)
    adapted = adapt_head(known, mine)
    assert adapted.limits.is_own(mine, 4).tolist() == [True, True, False, False]
    (quantiles,) = adapted.limits.quantiles
    assert quantiles.class_counts == (60, 60, 60, 60)
    assert None not in quantiles.per_class
    home = draw_cells(200, seed=6)
    found = read_with(known, adapted, home).probabilities[home.labels == 3, 3]
    assert (1 - found <= quantiles.class_thresholds()[3]).mean() == pytest.approx(0.9, abs=0.07)


def test_the_limit_of_novelty_takes_the_laboratorys_cells_for_known(known: Known) -> None:
    stain = np.zeros(WIDTH)
    stain[8:] = 4.0
    mine, others = (draw_cells(60, seed=seed, stain=stain) for seed in (3, 4))
    assert read_unadapted(known, others).is_named.mean() < 0.2
    assert read_with(known, adapt_head(known, mine), others).is_named.mean() > 0.7
    at_home = adapt_head(known, draw_cells(60, seed=7))
    assert at_home.limits.novelty >= known.statistics.limit


def test_few_cells_read_without_an_error_make_it_no_surer(known: Known) -> None:
    cells = draw_cells(40, seed=3)
    easy = replace(cells, first=(MIDDLES[cells.labels] * 2).astype(np.float32))
    assert adapt_head(known, easy).limits.temperature == known.spec.temperature


def test_no_group_is_parted_and_every_cell_is_left_out_once() -> None:
    cells = draw_cells(20, seed=3)
    parts = list(deal(cells))
    assert np.sum(parts, axis=0).tolist() == [1] * len(cells)
    for part in parts:
        assert not set(cells.groups[part]) & set(cells.groups[~part])


def test_what_is_stated_comes_from_cells_that_taught_nothing(known: Known) -> None:
    """Labels dealt by chance can't be learned: a figure that flattered would lie above chance."""
    cells = draw_cells(40, seed=3)
    guessed = replace(cells, labels=np.random.default_rng(0).permutation(cells.labels))
    found = cross_examine(known, guessed).after.probabilities
    assert right(found, guessed).mean() < 0.35


def test_before_and_after_carry_intervals(known: Known) -> None:
    cells = draw_cells(30, seed=3, stain=STAIN)
    stated = cross_examine(known, cells).as_dict(cells, NAMES)
    assert stated["before"]["accuracy"]["n"] == stated["after"]["accuracy"]["n"] == len(cells)
    low, high = stated["differences"]["balanced_accuracy"]["interval_95"]
    assert 0.0 < low < stated["differences"]["balanced_accuracy"]["value"] < high


def records(label: str, count: int, *, groups: int | None = None) -> list[Record]:
    return [
        Record(Path(), label, f"{label}{number % (groups or count)}", f"{label}{number}")
        for number in range(count)
    ]


def test_too_few_cells_are_refused_with_what_is_there() -> None:
    few = [*records("neutrophil", 60), *records("lymphocyte", 30)]
    with pytest.raises(DatasetError, match=f"90 can be used. At least {LEAST_CELLS} are needed"):
        choose_cells(few, NAMES)
    with pytest.raises(DatasetError, match="There are: 300 neutrophil"):
        choose_cells(records("neutrophil", 300), NAMES)
    with pytest.raises(DatasetError, match="There are: none"):
        choose_cells([], NAMES)


def test_a_class_of_too_few_cells_or_groups_is_left_out_and_told() -> None:
    cells = [
        *records("neutrophil", 80),
        *records("lymphocyte", 30),
        *records("monocyte", 9),
        *records("eosinophil", 40, groups=4),
        *records("platelet", 50),
    ]
    chosen = choose_cells(cells, NAMES)
    assert chosen.left_out == {"eosinophil": 40, "monocyte": 9, "platelet": 50}
    assert chosen.counts()["neutrophil"] == {"cells": 80, "groups": 80}


def test_a_release_without_reference_cells_cannot_be_adapted(tmp_path: Path) -> None:
    shutil.copyfile(DEFAULT_RELEASE / WEIGHTS_NAME, tmp_path / WEIGHTS_NAME)
    write_spec(tmp_path, replace(read_spec(DEFAULT_RELEASE), reference_sha256=None))
    with pytest.raises(ArtifactError, match="keeps no reference cells"):
        read_known(tmp_path)


@pytest.mark.real_model
def test_a_real_laboratorys_cells_are_no_longer_refused_as_odd(data_dir: Path) -> None:
    """BCCD, whose network learned from it in part: so only what is refused is looked at here."""
    real = read_known(DEFAULT_RELEASE)
    found = of_classes(read_bccd_records(data_dir), ("neutrophil", "eosinophil", "lymphocyte"))
    cells = look_at(*open_engine(DEFAULT_RELEASE), found[:180])
    adapted = adapt_head(real, cells.part(np.arange(120)))
    others = cells.part(np.arange(120, 180))
    before, after = read_unadapted(real, others), read_with(real, adapted, others)
    assert after.is_named.mean() > before.is_named.mean()
    assert right(after.probabilities, others).mean() > 0.9
