"""Makes cases of many drawn cells, read and open for review, in the database of a running site.

To be called in a shell of the site's own; `make` writes one JSON object.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from classifier.enums import CaseStatus, CellOrigin, DetectedKind, ImageKind, RunStatus
from classifier.models import (
    Case,
    Cell,
    ClassificationRun,
    FieldScan,
    ModelVersion,
    Patient,
    Prediction,
    SmearImage,
)
from classifier.services import reviews
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case
from classifier.services.images import add_image
from classifier.services.thumbnails import make_thumbnails
from demo.people import PASSWORD
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.embedding import pack
from ml.fields.features import describe
from ml.preprocessing import to_png
from ml.synthetic import render_cell
from ml.types import BoundingBox

Pixels = NDArray[np.uint8]
SIDE = 360
"""Pixels across a picture of one cell."""

_MIX = {"neutrophil": 0.62, "lymphocyte": 0.24, "monocyte": 0.08, "eosinophil": 0.04}
_REFERRED = 0.04
_DRAWN_EACH = 6
_PITCH = 160
"""Pixels from one cell of a field to the next."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the machine is to say of a cell."""

    cell_class: str
    confidence: float
    candidates: tuple[str, ...]
    embedding: NDArray[np.float16]

    @property
    def is_referred(self) -> bool:
        return len(self.candidates) != 1


def make(count: int, *, per_field: int = 0) -> None:
    """Make a case of so many cells, each a picture of its own, or ``per_field`` of them on one.

    Writes its id, and the log-in of the demonstration's pathologist, who has it open.
    """
    technician = User.objects.get(email="technician@demo.example")
    now = timezone.now()
    case = open_case(
        actor=technician,
        patient=Patient.objects.earliest("pk"),
        order=OrderDetails(),
        specimen=SpecimenDetails(collected_at=now - timedelta(hours=2), received_at=now),
    )
    rng = np.random.default_rng(count)
    answers = list(_answers(count, rng))
    drawings = _draw(SIDE if not per_field else _PITCH)
    for start in range(0, count, per_field or 1):
        some = answers[start : start + (per_field or 1)]
        cells = [_turned(drawings[answer.cell_class], rng) for answer in some]
        _add(case, technician, start, cells, some, is_field=bool(per_field))
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.AWAITING_REVIEW, submitted_by=technician, submitted_at=now
    )
    reviewer = User.objects.get(email="pathologist@demo.example")
    reviews.open_review(case_id=case.pk, actor=reviewer)
    made = {"case": str(case.pk), "reviewer": reviewer.email, "password": PASSWORD}
    json.dump(made, sys.stdout)


def _answers(count: int, rng: np.random.Generator) -> Iterator[Answer]:
    names = list(_MIX)
    shares = np.array(list(_MIX.values())) / sum(_MIX.values())
    centres = {name: rng.normal(size=64) for name in names}
    for number in range(count):
        # The first few are one of each, so that a small case has all groups.
        name = names[number] if number < len(names) else str(rng.choice(names, p=shares))
        vector = centres[name] + 0.7 * rng.normal(size=64)
        is_referred = rng.random() < _REFERRED or number == len(names)
        other = names[names.index(name) - 1]
        yield Answer(
            name,
            confidence=float(rng.uniform(0.3, 0.5) if is_referred else rng.uniform(0.8, 0.999)),
            candidates=(name, other)[: int(rng.integers(0, 2)) * 2] if is_referred else (name,),
            embedding=(vector / np.linalg.norm(vector)).astype(np.float16),
        )


def _draw(side: int) -> dict[str, list[Pixels]]:
    return {name: [render_cell(name, seed, side) for seed in range(_DRAWN_EACH)] for name in _MIX}


def _turned(drawings: Sequence[Pixels], rng: np.random.Generator) -> Pixels:
    """One of the drawings, turned, its brightness a little changed: no two are the same file."""
    drawn = np.rot90(drawings[int(rng.integers(len(drawings)))], int(rng.integers(4)))
    noise = rng.integers(-2, 3, drawn.shape)
    return np.ascontiguousarray(np.clip(drawn.astype(int) + noise, 0, 255).astype(np.uint8))


def _add(
    case: Case,
    technician: User,
    number: int,
    cells: Sequence[Pixels],
    answers: Sequence[Answer],
    *,
    is_field: bool,
) -> None:
    pixels, boxes = _lay_out(cells) if is_field else (cells[0], [])
    image = add_image(
        case_id=case.pk,
        actor=technician,
        data=to_png(pixels),
        file_name=f"drawn-{number:04}.png",
        kind=ImageKind.FIELD if is_field else ImageKind.CELL,
    )
    run = _run(image)
    if is_field:
        _scan(image, run, pixels)
        Cell.objects.bulk_create(_cell(image, box) for box in boxes)
    stored = image.cells.order_by("y0", "x0")
    rows = (_prediction(run, *each) for each in zip(stored, answers, strict=True))
    Prediction.objects.bulk_create(rows)
    make_thumbnails(image_id=image.pk)


def _lay_out(cells: Sequence[Pixels]) -> tuple[Pixels, list[BoundingBox]]:
    """A field with the cells in rows, and the boxes of their middles, line by line."""
    columns = int(np.ceil(np.sqrt(len(cells))))
    rows = int(np.ceil(len(cells) / columns))
    field = np.full((rows * _PITCH, columns * _PITCH, 3), 235, dtype=np.uint8)
    boxes = []
    for place, cell in enumerate(cells):
        y, x = _PITCH * (place // columns), _PITCH * (place % columns)
        field[y : y + _PITCH, x : x + _PITCH] = cell
        rim = _PITCH // 5
        boxes.append(BoundingBox(x + rim, y + rim, x + _PITCH - rim, y + _PITCH - rim))
    return field, boxes


def _run(image: SmearImage) -> ClassificationRun:
    now = timezone.now()
    return ClassificationRun.objects.create(
        image=image,
        model_version=ModelVersion.objects.get(is_active=True),
        status=RunStatus.SUCCEEDED,
        attempt=1,
        started_at=now,
        finished_at=now,
    )


def _scan(image: SmearImage, run: ClassificationRun, pixels: Pixels) -> None:
    FieldScan.objects.create(
        image=image,
        run=run,
        detector_name="drawn",
        detector_version="0.0.0",
        detector_sha256="0" * 64,
        red_cell=_PITCH / 4.6,
        scale_basis="erythrocytes",
        features=describe(pixels).to_bytes(),
    )


def _cell(image: SmearImage, box: BoundingBox) -> Cell:
    return Cell(
        image=image,
        x0=box.x0,
        y0=box.y0,
        x1=box.x1,
        y1=box.y1,
        origin=CellOrigin.MACHINE,
        detected_as=DetectedKind.LEUKOCYTE,
        detection_confidence=0.9,
    )


def _prediction(run: ClassificationRun, cell: Cell, answer: Answer) -> Prediction:
    rest = (1 - answer.confidence) / (len(CELL_CLASSES) - 1)
    return Prediction(
        run=run,
        cell=cell,
        cell_type=UNIDENTIFIED if answer.is_referred else answer.cell_class,
        confidence=answer.confidence,
        probabilities=dict.fromkeys(CELL_CLASSES, rest) | {answer.cell_class: answer.confidence},
        is_referred=answer.is_referred,
        candidates=list(answer.candidates),
        embedding=pack(answer.embedding),
    )
