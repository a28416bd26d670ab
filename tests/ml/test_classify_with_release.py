"""`manage.py classify` with the models that ship, on drawn fields and on real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier.inference import active_detector_dir
from ml.preprocessing import to_png
from ml.synthetic import render_field
from tests.ml.classifying import Line, run

pytestmark = pytest.mark.real_model

SHIFT = np.array([320, 0, 320, 0])
"""From boxes of the second view to those of the first."""


@pytest.fixture(scope="module", autouse=True)
def release() -> Path:
    folder = active_detector_dir()
    if not folder.is_dir():
        pytest.skip(f"needs the released detector: there is no {folder.name}")
    return folder


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Two views of one drawn smear that share a third; two white cells are whole in both."""
    smear = render_field(0, 960, 480, 4, 60)
    for name, left in (("a.png", 0), ("b.png", 320)):
        view = np.ascontiguousarray(smear[:, left : left + 640])
        (tmp_path / name).write_bytes(to_png(view))
    return tmp_path


def white(line: Line) -> list[Line]:
    return [cell for cell in line["cells"] if "probabilities" in cell]


@pytest.mark.parametrize("kind", ["field", "auto"])
def test_a_drawn_cell_of_two_fields_is_counted_once(case: Path, kind: str) -> None:
    first, second, last = run(case, "--kind", kind, "--differential")
    assert (first["kind"], second["kind"]) == ("field", "field")
    assert first["red_cell"]["diameter"] == pytest.approx(60, rel=0.2)
    repeated = [cell for cell in white(second) if cell["repeat_of"]]
    for cell in repeated:
        other = first["cells"][cell["repeat_of"]["cell"]]
        assert cell["repeat_of"]["file"] == first["file"]
        assert np.abs(np.array(cell["box"]) + SHIFT - other["box"]).max() < 30
    assert last["differential"]["not_counted"]["repeats"] >= len(repeated) >= 1
    assert last["differential"]["erythrocytes_per_field"] > 20


def test_a_differential_adds_up_to_one_hundred_percent(case: Path) -> None:
    *lines, last = run(case, "--kind", "field", "--differential")
    found = last["differential"]
    classes = found["classes"].values()
    assert sum(each["count"] for each in classes) == found["leukocytes"]
    assert sum(each["percent"] for each in classes) == pytest.approx(100.0)
    for each in classes:
        low, high = each["interval_95"]
        assert low <= each["percent"] <= high
    beside = found["unidentified"] + found["erythroblasts"] + sum(found["not_counted"].values())
    named = [cell for line in lines for cell in white(line) if cell["type"] != "platelet"]
    assert found["leukocytes"] + beside == len(named)


def test_real_fields_that_overlap_give_each_white_cell_once(data_dir: Path) -> None:
    folder = data_dir / "bccd" / "images"
    lines = run(
        *(folder / f"BloodImage_{number}.jpg" for number in ("00165", "00193", "00166")),
        *("--kind", "field"),
    )
    repeats = {
        frozenset(Path(name).stem[-5:] for name in (line["file"], cell["repeat_of"]["file"]))
        for line in lines
        for cell in white(line)
        if cell["repeat_of"]
    }
    assert repeats == {frozenset({"00193", "00165"}), frozenset({"00166", "00193"})}
