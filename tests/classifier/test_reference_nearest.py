"""The reference library: which of its cells look most like another."""

import numpy as np
import pgtrigger
import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classifier import inference
from classifier.models import Case, Cell, ModelVersion, Prediction, ReferenceCell
from classifier.selectors import reference_cells as selector
from classifier.services import reference_cells
from classifier.services.reference_embeddings import embed_reference_cells
from ml.fake import FakeClassifier
from tests.library import ATLAS, ClientFor, add, imported, vector
from tests.reviewing import MakeCase, cells_of


@pytest.fixture
def cell(classified_case: MakeCase) -> Cell:
    return cells_of(classified_case(["neutrophil"]))[0]


def embed(reference: ReferenceCell, version: ModelVersion, angle: float) -> None:
    ReferenceCell.objects.filter(pk=reference.pk).update(
        embedding=vector(angle), embedded_by=version
    )


def place(cell: Cell, angle: float) -> None:
    """Read the cell anew, as lying so far from the first axis."""
    former = cell.predictions.select_related("run").latest("pk")
    with pgtrigger.ignore("classifier.Prediction:append_only"):
        Prediction.objects.filter(pk=former.pk).update(embedding=vector(angle))


def test_the_nearest_come_first(
    cell: Cell,
    active_model: ModelVersion,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    angles = (1.2, 0.1, 0.6, 2.0)
    for seed, angle in enumerate(angles):
        embed(imported(seed=seed), active_model, angle)
    place(cell, 0.0)
    user = User.system()
    user.get_all_permissions()  # asked once a request
    with django_assert_max_num_queries(4):
        found = selector.nearest(user, cell, count=3)
    assert [each.similarity for each in found] == pytest.approx(np.cos([0.1, 0.6, 1.2]), abs=2e-3)
    assert found[0].licence == "CC BY 4.0"


def test_embeddings_of_another_model_are_not_compared(
    cell: Cell, active_model: ModelVersion
) -> None:
    other = ModelVersion.objects.create(
        name="other", version="1", sha256="1" * 64, class_names=[], approved_by=User.system()
    )
    embed(imported(), other, 0.0)
    place(cell, 0.0)
    assert selector.nearest(User.system(), cell) == []


def test_a_cell_is_not_like_itself_and_a_retired_one_is_left_out(
    signed_case: Case, pathologist: User, active_model: ModelVersion
) -> None:
    own, other = cells_of(signed_case)
    for cell in (own, other):
        embed(add(cell, pathologist), active_model, 0.0)
    retired = imported()
    embed(retired, active_model, 0.0)
    reference_cells.retire(reference_id=retired.pk, actor=pathologist, reason="Unfit")
    place(own, 0.0)
    assert [each.cell_type for each in selector.nearest(User.system(), own)] == ["lymphocyte"]


def test_a_model_without_embeddings_finds_none(cell: Cell, active_model: ModelVersion) -> None:
    embed(imported(), active_model, 0.0)
    assert selector.nearest(User.system(), cell) == []


def test_a_worker_embeds_what_the_active_model_has_not_seen(
    model: ModelVersion, monkeypatch: pytest.MonkeyPatch, pathologist: User
) -> None:
    first, retired = imported(seed=1), imported(seed=2)
    reference_cells.retire(reference_id=retired.pk, actor=pathologist, reason="Unfit")
    assert embed_reference_cells() == 1
    first.refresh_from_db()
    assert (first.embedded_by, len(first.embedding or b"")) == (model, 128)
    assert embed_reference_cells() == 0
    other = FakeClassifier()
    other.version = "9"
    monkeypatch.setattr(inference, "get_classifier", lambda: other)
    assert embed_reference_cells() == 0  # not the active model


def test_a_lost_picture_does_not_stop_the_others(model: ModelVersion) -> None:
    lost, fine = imported(seed=1), imported(seed=2)
    lost.file.storage.delete(str(lost.file.name))
    assert embed_reference_cells() == 2
    lost.refresh_from_db()
    fine.refresh_from_db()
    assert lost.embedded_by == fine.embedded_by == model
    assert lost.embedding is None


def test_nearest_cells_are_told_to_readers_of_the_case(
    cell: Cell,
    active_model: ModelVersion,
    technician: User,
    learner: User,
    client_for: ClientFor,
) -> None:
    embed(imported(), active_model, 0.0)
    place(cell, 0.0)
    url = reverse("classifier:reference_nearest", args=[cell.pk])
    (found,) = client_for(technician).get(url).json()["cells"]
    assert (found["class"], found["source"]) == ("monocyte", ATLAS.source)
    assert client_for(learner).get(url).status_code == 403
