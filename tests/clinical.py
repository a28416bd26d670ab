"""Fixtures: patients, cases and pictures, made through the product's own services."""

import hashlib
import io
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image

from accounts.models import User
from classifier.models import Case, Patient, SmearImage
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case
from classifier.services.images import add_image
from classifier.services.patients import Identity, register_patient

MakeImage = Callable[..., SmearImage]

JANE = Identity("MRN00123", "HVLAB", "Doe", "Jane", date(1980, 1, 1), "female")


def picture_bytes(
    seed: int = 0, size: tuple[int, int] = (64, 64), image_format: str = "PNG"
) -> bytes:
    """Return a small noisy picture as the bytes of a file; each seed gives another one."""
    pixels = np.random.default_rng(seed).integers(90, 255, (*reversed(size), 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=image_format)
    return buffer.getvalue()


def recent_specimen() -> SpecimenDetails:
    """Return a specimen collected two hours and received one hour ago."""
    now = timezone.now()
    return SpecimenDetails(
        collected_at=now - timedelta(hours=2), received_at=now - timedelta(hours=1)
    )


@pytest.fixture
def patient(technician: User) -> Patient:
    return register_patient(actor=technician, identity=JANE)


@pytest.fixture
def case(technician: User, patient: Patient) -> Case:
    """A registered case without images."""
    return open_case(
        actor=technician, patient=patient, order=OrderDetails(), specimen=recent_specimen()
    )


@pytest.fixture
def add_picture(technician: User) -> MakeImage:
    """Add a further small single-cell picture to a case."""
    seeds = count(1)

    def add(case: Case) -> SmearImage:
        data = picture_bytes(next(seeds))
        name = f"{hashlib.sha256(data).hexdigest()[:8]}.png"
        return add_image(case_id=case.pk, actor=technician, data=data, file_name=name, kind="cell")

    return add
