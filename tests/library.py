"""Fixtures: cells in the reference library, from a signed case and imported."""

from collections.abc import Callable

import numpy as np
import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.enums import ReviewOutcome
from classifier.models import Case, Cell, ReferenceCell
from classifier.services import reference_cells, reviews
from classifier.services.reference_imports import (
    Provenance,
    import_picture,
)
from classifier.services.transitions import transition
from ml.preprocessing import to_png
from ml.synthetic import render_cell
from tests.reviewing import MakeCase

ClientFor = Callable[[User], Client]

ATLAS = Provenance("An atlas of blood cells", "CC BY 4.0")
PAGE = reverse("classifier:reference_cells")


def sign(case: Case, actor: User) -> Case:
    """Sign a case that the actor has open, without a report."""
    with transaction.atomic():
        transition(case_id=case.pk, name="sign_off", actor=actor)
        reviews.close_review(case=case, outcome=ReviewOutcome.SIGNED)
    case.refresh_from_db()
    return case


@pytest.fixture
def signed_case(classified_case: MakeCase, pathologist: User) -> Case:
    return sign(classified_case(["neutrophil", "lymphocyte"], in_review=True), pathologist)


def add(cell: Cell, actor: User, teaching: str = "") -> ReferenceCell:
    """Add a cell of a signed case."""
    return reference_cells.add_cell_of_case(cell_id=cell.pk, actor=actor, teaching=teaching)


def imported(cell_type: str = "monocyte", seed: int = 1) -> ReferenceCell:
    """Import a drawn cell."""
    found = import_picture(
        data=to_png(render_cell(cell_type, seed=seed, size=128)),
        cell_type=cell_type,
        provenance=ATLAS,
        actor=User.system(),
    )
    assert found
    return found


def vector(angle: float) -> bytes:
    """A unit vector of 64 numbers that lies so far from the first axis."""
    numbers = np.zeros(64, "<f2")
    numbers[0], numbers[1] = np.cos(angle), np.sin(angle)
    return numbers.tobytes()
