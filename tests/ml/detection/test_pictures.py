"""Which boxes of a field count as found, false and missed."""

from pathlib import Path

import numpy as np

from ml.data.records import Record
from ml.detection.candidates import Candidates
from ml.detection.evaluation import ExaminedField
from ml.detection.fields import AnnotatedField
from ml.detection.objects import FieldScale
from ml.detection.pictures import judge, write_worst
from ml.preprocessing import to_png
from ml.synthetic import render_field

THRESHOLDS = {"erythrocyte": 0.5, "leukocyte": 0.5, "platelet": 0.5}


def candidates(*rows: tuple[int, int, int, int, int, float]) -> Candidates:
    """Rows of x0, y0, x1, y1, kind, score."""
    table = np.array(rows, dtype=np.float32).reshape(-1, 6)
    return Candidates(table[:, :4], table[:, 4].astype(np.int64), table[:, 5])


def examined(path: Path, truth: Candidates, found: Candidates) -> ExaminedField:
    record = Record(path, label="drawn", group="drawn", key=f"drawn/{path.name}")
    annotated = AnnotatedField(record, "drawn", path.name, truth.boxes, truth.kinds)
    return ExaminedField(annotated, truth, found, FieldScale(40.0, 3, "erythrocytes"), 40.0)


def test_tells_found_false_and_missed(tmp_path: Path) -> None:
    truth = candidates((0, 0, 40, 40, 0, 1), (100, 0, 140, 40, 0, 1), (50, 50, 120, 120, 1, 1))
    found = candidates(
        (2, 0, 42, 40, 0, 0.9),
        (4, 0, 44, 40, 0, 0.8),  # the same cell again
        (50, 50, 120, 120, 0, 0.7),  # a white cell taken for a red one
        (100, 0, 140, 40, 0, 0.4),  # not sure enough to be reported
    )
    verdict = judge(examined(tmp_path / "a.png", truth, found), THRESHOLDS)
    assert (verdict.right, verdict.false, verdict.missed) == ((0,), (1, 2), (1, 2))


def test_draws_the_worst_first(tmp_path: Path) -> None:
    fields = []
    for name, boxes in (("good", []), ("bad", [(10, 10, 60, 60, 0, 1.0)])):
        path = tmp_path / f"{name}.png"
        path.write_bytes(to_png(render_field(1, 320, 240, cells=1, red_cell=40)))
        fields.append(examined(path, candidates(*boxes), candidates()))
    write_worst(fields, THRESHOLDS, tmp_path / "worst", count=2)
    names = [path.name for path in sorted((tmp_path / "worst").iterdir())]
    assert names == ["01-drawn-bad.png", "02-drawn-good.png"]
