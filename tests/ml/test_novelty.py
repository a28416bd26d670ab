"""Novelty: what lies outside the subspace of learned cells is odd, and statistics keep on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml import novelty
from ml.errors import ArtifactError

WIDTH, SPREAD = 60, 6


def cells(number: int, seed: int) -> NDArray[np.float32]:
    """Features that fill six dimensions of sixty, with a little noise in the others."""
    basis = np.random.default_rng(0).normal(size=(SPREAD, WIDTH))
    rng = np.random.default_rng(seed)
    rows = 3.0 + rng.normal(size=(number, SPREAD)) @ basis + 0.1 * rng.normal(size=(number, WIDTH))
    return np.asarray(rows, dtype=np.float32)


@pytest.fixture
def statistics() -> novelty.NoveltyStatistics:
    shown = cells(20, seed=1)
    return novelty.fit(
        cells(500, seed=1),
        cells(400, seed=2),
        examples=shown,
        example_labels=np.arange(20, dtype=np.int64) % 4,
        example_keys=np.array([f"cell {number}" for number in range(20)]),
        axes=SPREAD,
    )


def test_accepts_99_percent_of_cells_like_those_of_validation(
    statistics: novelty.NoveltyStatistics,
) -> None:
    assert (novelty.score(statistics, cells(400, seed=2)) <= 1.0).mean() == pytest.approx(0.99)
    fresh = novelty.score(statistics, cells(2000, seed=3))
    assert fresh.dtype == np.float32
    assert (fresh <= 1.0).mean() > 0.95
    assert abs(float(np.median(fresh))) < 0.2


def test_refuses_what_lies_outside_the_subspace(statistics: novelty.NoveltyStatistics) -> None:
    strange = cells(100, seed=4) + np.random.default_rng(5).normal(size=(100, WIDTH))
    assert (novelty.score(statistics, strange.astype(np.float32)) > 1.0).all()


def test_each_example_is_nearest_to_itself(statistics: novelty.NoveltyStatistics) -> None:
    order, likeness = novelty.nearest(statistics, cells(20, seed=1), count=3)
    assert order.shape == likeness.shape == (20, 3)
    assert order[:, 0].tolist() == list(range(20))
    assert (np.diff(likeness, axis=1) <= 0).all()
    assert likeness[:, 0] == pytest.approx(1.0, abs=1e-3)


def test_reads_back_what_was_written(statistics: novelty.NoveltyStatistics, tmp_path: Path) -> None:
    path = tmp_path / novelty.REFERENCE_NAME
    novelty.save(statistics, path)
    again = novelty.load(path)
    rows = cells(50, seed=6)
    assert (novelty.score(again, rows) == novelty.score(statistics, rows)).all()
    assert again.example_keys.tolist() == statistics.example_keys.tolist()


def test_stays_below_a_megabyte_at_full_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    full = novelty.NoveltyStatistics(
        mean=rng.normal(size=1280).astype(np.float32),
        axes=rng.normal(size=(1280, novelty.AXES)).astype(np.float16),
        typical=1.0,
        limit=2.0,
        examples=rng.normal(size=(novelty.EXAMPLES, novelty.AXES)).astype(np.float16),
        example_labels=np.zeros(novelty.EXAMPLES, dtype=np.int64),
        example_keys=np.array([f"neutrophil/BNE_{number}.webp" for number in range(1000)]),
    )
    path = tmp_path / novelty.REFERENCE_NAME
    novelty.save(full, path)
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("spoil", ["missing", "garbage", "incomplete", "unfitting"])
def test_refuses_a_file_that_is_not_what_was_written(
    statistics: novelty.NoveltyStatistics, tmp_path: Path, spoil: str
) -> None:
    path = tmp_path / novelty.REFERENCE_NAME
    if spoil == "garbage":
        path.write_bytes(b"not an archive")
    elif spoil == "incomplete":
        np.savez(path, mean=np.zeros(3))
    elif spoil == "unfitting":
        novelty.save(statistics, path)
        with np.load(path) as stored:
            values = dict(stored)
        np.savez(path, **{**values, "mean": np.zeros(3, dtype=np.float32)})
    with pytest.raises(ArtifactError):
        novelty.load(path)


def test_refuses_to_fit_on_too_few_cells() -> None:
    few = cells(10, seed=1)
    with pytest.raises(ValueError, match="Too few"):
        novelty.fit(
            few,
            few,
            examples=few,
            example_labels=np.zeros(10, dtype=np.int64),
            example_keys=np.array(["x"] * 10),
        )
