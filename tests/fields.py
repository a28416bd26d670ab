"""Fixtures: cases whose fields were read by a worker, with cells where a test wants them."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from accounts.models import User
from classifier import inference
from classifier.models import Case, Cell, ModelVersion, Patient, SmearImage
from classifier.services import cases, classification
from classifier.services.images import add_image
from ml.detection.objects import Detection, FieldReading, ObjectKind
from ml.fake import FakeDetector
from ml.synthetic import render_field
from ml.types import BoundingBox
from tests.clinical import recent_specimen

Pixels = NDArray[np.uint8]
SIZE = (320, 240)
RED_CELL = 40

WHITE = BoundingBox(100, 80, 170, 150)
"""A white cell well inside a field of `SIZE`."""


def detection(
    kind: ObjectKind, box: BoundingBox, *, confidence: float = 0.9, at_edge: bool = False
) -> Detection:
    return Detection(box, kind, confidence, at_edge=at_edge)


ONE_OF_EACH = (
    detection("leukocyte", WHITE),
    detection("erythrocyte", BoundingBox(20, 20, 60, 60)),
    detection("erythrocyte", BoundingBox(200, 20, 240, 60)),
    detection("platelet", BoundingBox(30, 120, 45, 134)),
    detection("leukocyte", BoundingBox(0, 170, 40, 240), at_edge=True),
)


class PlacedDetector(FakeDetector):
    """Finds what was placed on a field, known by its pixels; nothing on others."""

    def __init__(self) -> None:
        super().__init__(ONE_OF_EACH, red_cell=RED_CELL)
        self.placed: dict[bytes, tuple[Detection, ...]] = {}
        self.searches = 0

    def detect(self, pixels: Pixels) -> FieldReading:
        self.searches += 1
        found = self.placed.get(pixels.tobytes(), self.detections)
        return FieldReading(super().detect(pixels).scale, found)


AddField = Callable[..., SmearImage]
ReadCase = Callable[..., Case]


def field_pixels(seed: int, size: tuple[int, int] = SIZE) -> Pixels:
    """A drawn field, uint8[H, W, 3]."""
    return render_field(seed, *size, cells=2, red_cell=RED_CELL)


def as_png(pixels: Pixels) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> PlacedDetector:
    """The detector of this test's worker."""
    placed = PlacedDetector()
    monkeypatch.setattr(inference, "get_detector", lambda: placed)
    return placed


@pytest.fixture
def add_field(technician: User) -> AddField:
    """Add a field to a registered case."""

    def add(case: Case, pixels: Pixels) -> SmearImage:
        count = case.images.count() + 1
        return add_image(
            case_id=case.pk,
            actor=technician,
            data=as_png(pixels),
            file_name=f"field-{count}.png",
            kind="field",
        )

    return add


@pytest.fixture
def read_case(
    technician: User,
    patient: Patient,
    model: ModelVersion,
    detector: PlacedDetector,
    add_field: AddField,
) -> ReadCase:
    """Return a maker of cases with these fields, submitted and read by a worker."""

    def make(fields: Sequence[Pixels]) -> Case:
        case = cases.open_case(
            actor=technician,
            patient=patient,
            order=cases.OrderDetails(),
            specimen=recent_specimen(),
        )
        for pixels in fields:
            add_field(case, pixels)
        cases.submit_case(case_id=case.pk, actor=technician)
        classification.classify_waiting_runs(worker="worker")
        case.refresh_from_db()
        return case

    return make


def whites_of(case: Case) -> list[Cell]:
    """The white cells of a case, field by field, in the order in which they were found."""
    cells = Cell.objects.filter(image__case=case, detected_as="leukocyte")
    return list(cells.with_findings().order_by("image__uploaded_at", "-detection_confidence", "y0"))
