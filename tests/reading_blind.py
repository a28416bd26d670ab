"""Fixtures: a reference count of a small case, its possible readers, and readings of it."""

import uuid
from collections.abc import Callable, Sequence

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case, ReferenceMark, ReferenceStudy
from classifier.services import reference_counts as services
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of

ClientFor = Callable[[User], Client]

ANSWERS = ["neutrophil", "neutrophil", "lymphocyte", "monocyte", "unidentified", "eosinophil"]
TRUTH = ["neutrophil", "neutrophil", "lymphocyte", "monocyte", "monocyte", "basophil"]


@pytest.fixture
def study_case(classified_case: MakeCase) -> Case:
    return classified_case(ANSWERS)


@pytest.fixture
def study(study_case: Case, administrator: User) -> ReferenceStudy:
    return services.open_study(case_id=study_case.pk, actor=administrator)


@pytest.fixture
def people(db: None) -> list[User]:
    names = ["First Reader", "Second Reader", "Third Reader", "Fourth Reader"]
    return [UserFactory.create(role=Role.PATHOLOGIST, full_name=name) for name in names]


def truth_of(study: ReferenceStudy) -> dict[int, str]:
    """What each cell of the study truly is, by its position."""
    by_cell = {cell.pk: name for cell, name in zip(cells_of(study.case), TRUTH, strict=True)}
    return {each.position: by_cell[each.cell_id] for each in study.cells.all()}


def mark(study: ReferenceStudy, actor: User, position: int, name: str) -> ReferenceMark:
    """Name one cell."""
    return services.mark_cell(
        study_id=study.pk,
        actor=actor,
        position=position,
        cell_type=name,
        action_id=uuid.uuid4(),
    )


def read_all(study: ReferenceStudy, actor: User, names: dict[int, str]) -> None:
    """Take a seat, name the cells and complete the reading."""
    services.start_reading(study_id=study.pk, actor=actor)
    for position, name in names.items():
        mark(study, actor, position, name)
    services.complete_reading(study_id=study.pk, actor=actor)


def read_by_two(study: ReferenceStudy, people: Sequence[User], **wrong: str) -> dict[int, str]:
    """Let two read; the second is wrong on the cells that truly are of a class in ``wrong``."""
    truth = truth_of(study)
    read_all(study, people[0], truth)
    read_all(study, people[1], {at: wrong.get(name, name) for at, name in truth.items()})
    study.refresh_from_db()
    return truth
