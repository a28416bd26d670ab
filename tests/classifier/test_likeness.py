"""The order of likeness: by the embeddings of one model version."""

import json
import uuid
from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classifier.models import Case, ModelVersion, Prediction
from classifier.selectors.likeness import NOT_STORED, has_likeness, order_by_likeness
from ml.embedding import pack
from tests.reviewing import MakeCase, cells_of, read_image

ANGLES = {"0": 0.0, "1": 2.0, "2": 0.4, "3": 0.1}


@pytest.fixture
def placed(classified_case: MakeCase, active_model: ModelVersion) -> Case:
    """Four cells, turned away from the first by the angles; each was read by the same model."""
    case = classified_case([""] * 4, in_review=True)
    for cell, angle in zip(cells_of(case), ANGLES.values(), strict=True):
        read_again(case, cell.image_id, active_model, angle)
    return case


def read_again(case: Case, image_id: uuid.UUID, model: ModelVersion, angle: float) -> None:
    """Read an image once more, so that its cell lies at this angle."""
    run = read_image(case.images.get(pk=image_id), model, "")
    vector = np.zeros(64, dtype=np.float16)
    vector[:2] = np.cos(angle), np.sin(angle)
    Prediction.objects.create(
        run=run,
        cell=case.images.get(pk=image_id).cells.get(),
        cell_type="neutrophil",
        confidence=0.9,
        probabilities={"neutrophil": 0.9},
        is_referred=False,
        candidates=["neutrophil"],
        embedding=pack(vector),
    )


def places(case: Case, order: tuple[uuid.UUID, ...]) -> list[int]:
    cells = [cell.pk for cell in cells_of(case)]
    return [cells.index(one) for one in order]


def test_the_chosen_cell_comes_first_then_the_most_alike(placed: Case) -> None:
    likeness = order_by_likeness(placed, cells_of(placed)[0].pk)
    assert places(placed, likeness.order) == [0, 3, 2, 1]
    assert has_likeness(placed)


def test_the_latest_reading_counts(placed: Case, active_model: ModelVersion) -> None:
    cells = cells_of(placed)
    read_again(placed, cells[1].image_id, active_model, 0.05)
    assert places(placed, order_by_likeness(placed, cells[0].pk).order) == [0, 1, 3, 2]


def test_cells_that_another_version_read_are_left_out(placed: Case) -> None:
    cells = cells_of(placed)
    other = ModelVersion.objects.create(
        name="fake",
        version="0.0.1",
        sha256="1" * 64,
        class_names=["neutrophil"],
        approved_by=User.system(),
    )
    read_again(placed, cells[1].image_id, other, 0.0)
    assert places(placed, order_by_likeness(placed, cells[0].pk).order) == [0, 3, 2]


def test_says_why_there_is_none(classified_case: MakeCase) -> None:
    case = classified_case(["neutrophil", ""], in_review=True)
    assert not has_likeness(case)
    for cell in cells_of(case):
        assert order_by_likeness(case, cell.pk).reason == NOT_STORED


def test_the_number_of_queries_does_not_grow_with_the_cells(
    placed: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    first = cells_of(placed)[0].pk
    with django_assert_max_num_queries(2):
        order_by_likeness(placed, first)


def test_the_page_offers_it_only_where_it_can(
    placed: Case, pathologist: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(pathologist)
    page = client.get(reverse("classifier:review", args=[placed.pk])).content.decode()
    assert "this model stores no likeness" not in page
    address = reverse("classifier:alike_cells", args=[cells_of(placed)[0].pk])
    assert len(json.loads(client.get(address).content)["order"]) == 4
