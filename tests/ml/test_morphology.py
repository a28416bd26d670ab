"""A cell is described in words where the heads are sure, and only if they know its kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import DEFAULT_RELEASE, read_spec, sha256_of
from ml.errors import ArtifactError, DatasetError
from ml.explain import load_explainer
from ml.morphology import (
    MORPHOLOGY_NAME,
    TITLES,
    UNCERTAIN,
    Heads,
    describe,
    read_heads,
    save_heads,
)
from ml.morphology_fitting import Described, examine_heads, fit_heads, read_attributes
from ml.synthetic import render_cell


def heads(limit: float = 0.8) -> Heads:
    """Two attributes of four features: size by the first two, granules by the third."""
    return Heads(
        names=np.array(["cell_size", "granularity"]),
        values=np.array(["big", "small", "no", "yes"]),
        owners=np.array([0, 0, 1, 1]),
        kernel=np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0], [0, 0, 1, 0]], np.float32),
        bias=np.zeros(4, np.float32),
        temperatures=np.ones(2, np.float32),
        limits=np.array([limit, limit], np.float32),
    )


FEATURES = np.array([3.0, 0.0, 0.1, 0.0], np.float32)


def test_says_what_it_is_sure_of_and_calls_the_rest_uncertain() -> None:
    size, granules = describe(heads(), FEATURES, "neutrophil")
    assert (size.name, size.value, size.title) == ("cell_size", "big", "Cell size")
    assert size.probability == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert (granules.value, granules.likeliest) == (UNCERTAIN, "yes")
    _, sure = describe(heads(0.5), FEATURES, "neutrophil")
    assert (sure.value, sure.words) == ("yes", "present")


@pytest.mark.parametrize("kind", ["platelet", "erythroblast", "immature_granulocyte"])
def test_says_nothing_of_kinds_that_were_never_described(kind: str) -> None:
    assert describe(heads(), FEATURES, kind) == ()


def test_heads_are_kept_in_the_release_and_refused_if_they_are_others(
    tiny_release: Path, tmp_path: Path
) -> None:
    spec = read_spec(tiny_release)
    assert read_heads(tiny_release, spec) is None
    path = tmp_path / MORPHOLOGY_NAME
    save_heads(heads(), path)
    named = replace(spec, morphology_sha256=sha256_of(path))
    kept = read_heads(tmp_path, named)
    assert kept is not None
    assert describe(kept, FEATURES, "monocyte") == describe(heads(), FEATURES, "monocyte")
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(ArtifactError, match="is not the one"):
        read_heads(tmp_path, named)
    path.unlink()
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_heads(tmp_path, named)
    with pytest.raises(ArtifactError, match="do not fit"):
        replace(heads(), limits=np.ones(3, np.float32))


def described(seed: int, count: int = 240) -> Described:
    """Cells whose first feature tells every attribute but for some noise."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, count)
    features = rng.normal(0, 1, (count, 6)).astype(np.float32)
    features[:, 0] += 3.0 * truth
    attributes = [dict.fromkeys(TITLES, "yes" if each else "no") for each in truth]
    labels = ["neutrophil" if each else "monocyte" for each in rng.integers(0, 2, count)]
    return Described(features, attributes, labels, np.arange(count) // 2)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_learns_attributes_and_examines_them_beside_the_plain_guesses() -> None:
    training, validation, test = described(1), described(2), described(3)
    said: list[str] = []
    fitted = fit_heads(training, validation, on_progress=said.append)
    assert said == list(TITLES)
    found = examine_heads(fitted, training, test)
    assert [row["name"] for row in found] == list(TITLES)
    for row in found:
        low, high = row["balanced_accuracy_interval_95"]
        assert low < row["balanced_accuracy"] < high
        assert row["balanced_accuracy"] > 0.85 > row["by_class"]["balanced"]
        assert row["majority"]["balanced"] == 0.5
        assert row["accuracy_of_stated"]["value"] > 0.85
        assert row["ece"] < 0.1


def test_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"attributes\.csv does not exist"):
        read_attributes(tmp_path)


@pytest.mark.real_model
def test_the_released_heads_describe_a_drawn_cell() -> None:
    explainer = load_explainer(DEFAULT_RELEASE)
    found = explainer.describe(render_cell("eosinophil", 5, 180))
    assert [each.name for each in found] == list(TITLES)
    assert all(0.0 < each.probability <= 1.0 for each in found)
    assert explainer.describe(render_cell("platelet", 5, 180)) == ()
