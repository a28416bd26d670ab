"""Makes a case of two drawn fields, read and open for review, and tells what became of it.

To be called in a shell of the site's own: both functions write one JSON object.
"""

import io
import json
import sys
from datetime import timedelta
from typing import Any

from django.utils import timezone
from PIL import Image

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, CellOrigin, DetectedKind, RunStatus
from classifier.models import (
    Case,
    Cell,
    ClassificationRun,
    Correction,
    FieldScan,
    ModelVersion,
    Patient,
    Prediction,
    SmearImage,
)
from classifier.services import reviews
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case
from classifier.services.images import add_image
from ml.classes import CELL_CLASSES
from ml.fields.features import describe
from ml.synthetic import render_field

SIZE = (640, 480)
RED_CELL = 60
WHITE, RED, PLATELET = DetectedKind.LEUKOCYTE, DetectedKind.ERYTHROCYTE, DetectedKind.PLATELET

# Kind, box, the machine's class and confidence of the white ones; less than 0.5 is referred.
FIRST = {
    "neutrophil": (WHITE, (100, 100, 200, 200), "neutrophil", 0.97),
    "referred": (WHITE, (400, 120, 500, 220), "monocyte", 0.4),
    "edge": (WHITE, (0, 300, 60, 400), "lymphocyte", 0.9),
    "red": (RED, (250, 60, 310, 120), "", 0.9),
    "red2": (RED, (300, 330, 360, 390), "", 0.9),
    "platelet": (PLATELET, (240, 240, 264, 264), "", 0.8),
}
SECOND = {
    "again": (WHITE, (300, 100, 400, 200), "neutrophil", 0.97),
    "lymphocyte": (WHITE, (150, 300, 240, 390), "lymphocyte", 0.95),
}


def make() -> None:
    """Make the case; write its id and those of its cells by name."""
    technician = User.objects.get(email="technician@demo.example")
    now = timezone.now()
    case = open_case(
        actor=technician,
        patient=Patient.objects.earliest("pk"),
        order=OrderDetails(),
        specimen=SpecimenDetails(collected_at=now - timedelta(hours=2), received_at=now),
    )
    cells: dict[str, Cell] = {}
    for number, plan in enumerate((FIRST, SECOND), start=1):
        cells |= _read(_add_field(case, technician, number), plan)
    Cell.objects.filter(pk=cells["again"].pk).update(repeat_of=cells["neutrophil"])
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.AWAITING_REVIEW, submitted_by=technician, submitted_at=now
    )
    reviews.open_review(case_id=case.pk, actor=User.objects.get(email="pathologist@demo.example"))
    ids = {name: str(cell.pk) for name, cell in cells.items()}
    json.dump({"case": str(case.pk), "cells": ids}, sys.stdout)


def tell(case_id: str) -> None:
    """Write all that reviewers said of the case's cells, in order, and the audit's actions."""
    case = Case.objects.get(pk=case_id)
    said = Correction.objects.filter(cell__image__case=case).order_by("pk")
    events = AuditEvent.objects.filter(target_id=case_id).order_by("at")
    stored = {
        "marks": [{"cell": str(each.cell_id), **each.mark.as_json()} for each in said],
        "actions": list(events.values_list("action", flat=True)),
        "boxes": [cell.box for cell in Cell.objects.filter(image__case=case)],
    }
    json.dump(stored, sys.stdout)


def _add_field(case: Case, technician: User, number: int) -> SmearImage:
    pixels = render_field(seed=number, width=SIZE[0], height=SIZE[1], red_cell=RED_CELL)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    image = add_image(
        case_id=case.pk,
        actor=technician,
        data=data.getvalue(),
        file_name=f"field-{number}.png",
        kind="field",
    )
    now = timezone.now()
    run = ClassificationRun.objects.create(
        image=image,
        model_version=ModelVersion.objects.get(is_active=True),
        status=RunStatus.SUCCEEDED,
        attempt=1,
        started_at=now,
        finished_at=now,
    )
    FieldScan.objects.create(
        image=image,
        run=run,
        detector_name="drawn",
        detector_version="0.0.0",
        detector_sha256="0" * 64,
        red_cell=RED_CELL,
        scale_basis="erythrocytes",
        features=describe(pixels).to_bytes(),
    )
    return image


def _read(image: SmearImage, plan: dict[str, Any]) -> dict[str, Cell]:
    cells = {}
    for name, (kind, (x0, y0, x1, y1), answer, confidence) in plan.items():
        cells[name] = cell = Cell.objects.create(
            image=image,
            x0=x0,
            y0=y0,
            x1=x1,
            y1=y1,
            origin=CellOrigin.MACHINE,
            detected_as=kind,
            detection_confidence=0.9,
            at_edge=x0 == 0,
        )
        if answer:
            _name(cell, answer, confidence)
    return cells


def _name(cell: Cell, answer: str, confidence: float) -> None:
    rest = (1 - confidence) / (len(CELL_CLASSES) - 1)
    is_referred = confidence < 0.5
    Prediction.objects.create(
        run=cell.image.runs.get(),
        cell=cell,
        cell_type="unidentified" if is_referred else answer,
        confidence=confidence,
        probabilities=dict.fromkeys(CELL_CLASSES, rest) | {answer: confidence},
        is_referred=is_referred,
    )
