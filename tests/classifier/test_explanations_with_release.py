"""Explanations by the released model: they lie where a drawn cell does, on picture and field."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from PIL import Image

from accounts.models import User
from classifier import inference
from classifier.enums import CaseStatus, CellOrigin, RunStatus
from classifier.models import (
    Case,
    Cell,
    ClassificationRun,
    Explanation,
    ModelVersion,
    Prediction,
)
from classifier.services.images import add_image
from classifier.services.model_versions import register_release
from ml.classes import CELL_CLASSES
from ml.synthetic import render_cell
from tests.explaining import ask, work
from tests.fields import Pixels, as_png

pytestmark = pytest.mark.real_model

SIDE = 180
PLACE = (220, 90)
"""Where on the field the drawn cell's picture lies, left and top."""


@pytest.fixture
def released(technician: User) -> ModelVersion:
    return register_release(spec=inference.active_release(), actor=User.system())


def drawn_cell() -> Pixels:
    return render_cell("eosinophil", seed=5, size=SIDE)


def drawn_field() -> Pixels:
    """A cell's picture in the middle of an empty slide."""
    picture = drawn_cell()
    field = np.empty((360, 560, 3), dtype=np.uint8)
    field[:] = np.median(picture[:8].reshape(-1, 3), axis=0)
    left, top = PLACE
    field[top : top + SIDE, left : left + SIDE] = picture
    return field


def named(case: Case, actor: User, model: ModelVersion, pixels: Pixels, kind: str) -> Cell:
    """Add a picture to a case and have its cell named an eosinophil."""
    image = add_image(
        case_id=case.pk, actor=actor, data=as_png(pixels), file_name="drawn.png", kind=kind
    )
    cell = image.cells.first() or Cell.objects.create(
        image=image,
        origin=CellOrigin.MACHINE,
        detection_confidence=0.9,
        **dict(zip(("x0", "y0", "x1", "y1"), box_on_field(), strict=True)),
    )
    run = ClassificationRun.objects.create(
        image=image, model_version=model, status=RunStatus.SUCCEEDED
    )
    rest = 0.1 / (len(CELL_CLASSES) - 1)
    Prediction.objects.create(
        run=run,
        cell=cell,
        cell_type="eosinophil",
        confidence=0.9,
        probabilities=dict.fromkeys(CELL_CLASSES, rest) | {"eosinophil": 0.9},
        is_referred=False,
    )
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.AWAITING_REVIEW)
    return cell


def box_on_field() -> Sequence[int]:
    """The middle half of the drawn picture, where the cell lies."""
    left, top = PLACE
    quarter = SIDE // 4
    return left + quarter, top + quarter, left + 3 * quarter, top + 3 * quarter


def weight_within(made: Explanation, box: Sequence[float]) -> float:
    """Share of a layer's weight that lies within a box of the image."""
    left, top, width, height = made.region
    with made.heat.open("rb") as file, Image.open(file) as layer:
        alpha = cv2.resize(np.asarray(layer)[..., 3], (width, height)).astype(np.float64)
    rows, columns = np.mgrid[:height, :width]
    x0, y0, x1, y1 = box
    inside = (columns + left >= x0) & (columns + left < x1) & (rows + top >= y0)
    inside &= rows + top < y1
    return float(alpha[inside].sum() / alpha.sum())


@pytest.mark.parametrize("kind", ["cell", "field"])
def test_the_map_lies_on_the_drawn_cell(
    kind: str, case: Case, technician: User, pathologist: User, released: ModelVersion
) -> None:
    pixels, box = (
        (drawn_field(), box_on_field()) if kind == "field" else (drawn_cell(), (45, 45, 135, 135))
    )
    cell = named(case, technician, released, pixels, kind)
    ask(cell, pathologist, "gradcam", "shap", cell_type="eosinophil")
    work()
    for made in Explanation.objects.all():
        assert made.status == "done", made.error_message
        share = (box[2] - box[0]) * (box[3] - box[1]) / (made.region[2] * made.region[3])
        assert weight_within(made, box) > 0.75 > 2 * share, made.method
        seen = np.array(made.outlines["seen"])
        middle = seen[:2] + seen[2:] / 2 + made.region[:2]
        np.testing.assert_allclose(middle, np.add(box[:2], box[2:]) / 2, atol=12)
        assert made.scores["insertion"] > 0
        assert made.caption["limits"]
