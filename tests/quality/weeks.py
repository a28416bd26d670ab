"""Weeks of a laboratory: cells read by the shipped classifier, on days of the test's choice."""

import csv
import io
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from numpy.typing import NDArray
from PIL import Image

from accounts.models import User
from classifier.models import (
    Case,
    CaseOrigin,
    Cell,
    ClassificationRun,
    Correction,
    Patient,
    Prediction,
    Slide,
    SmearImage,
)
from classifier.services import cases, classification
from classifier.services.images import add_image
from ml.synthetic import render_cell
from quality.services.appearance import measure_next
from tests.clinical import recent_specimen

Picture = NDArray[np.uint8]
ReadWeek = Callable[..., Case]
CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")
FIRST_MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def cells(count: int, seed: int) -> list[Picture]:
    """Cells of four classes, others for each seed: real ones where there are some, else drawn."""
    folder = Path(os.environ.get("HEMATOVISION_DATA", ""), "pbc")
    if not (folder / "index.csv").is_file():
        return [
            render_cell(CLASSES[number % len(CLASSES)], seed=1000 * seed + number, size=160)
            for number in range(count)
        ]
    with (folder / "index.csv").open(newline="") as index:
        names = [row["file"] for row in csv.DictReader(index) if row["class"] in CLASSES]
    chosen = np.random.default_rng(7).permutation(sorted(names))
    return [
        np.asarray(Image.open(folder / name).convert("RGB"))
        for name in chosen[seed * count : (seed + 1) * count]
    ]


def restained(picture: Picture) -> Picture:
    """The same cell from a slide that stood longer in a bluer stain: denser, less eosin."""
    density = -np.log((picture.astype(np.float64) + 1) / 256)
    density *= np.array([1.45, 1.2, 0.9])
    return np.asarray((256 * np.exp(-density) - 1).clip(0, 255), dtype=np.uint8)


@pytest.fixture
def read_week(technician: User, patient: Patient) -> ReadWeek:
    """Return what has a case of given cells read in the n-th week, by the shipped classifier."""
    call_command("register_model", verbosity=0)

    def read(week: int, pictures: Sequence[Picture]) -> Case:
        with time_machine.travel(FIRST_MONDAY + timedelta(weeks=week)):
            case = cases.open_case(
                actor=technician, patient=patient, order=cases.OrderDetails(),
                specimen=recent_specimen(),
            )  # fmt: skip
            for number, picture in enumerate(pictures):
                add_image(
                    case_id=case.pk, actor=technician, data=_png(picture), kind="cell",
                    file_name=f"{number}.png",
                )  # fmt: skip
            cases.submit_case(case_id=case.pk, actor=technician)
            classification.classify_waiting_runs(worker="test")
            measure_next()
        _count_anew()
        return case

    return read


def _count_anew() -> None:
    """Tell PostgreSQL how many rows there are, as its own worker does once they are committed.

    Within one test nothing is: what it counted before, perhaps none, may choose a plan by which
    a board of some hundred cells takes minutes.
    """
    models = (CaseOrigin, Cell, ClassificationRun, Correction, Prediction, Slide, SmearImage)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in models)}")


def _png(picture: Picture) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()
