"""Pages of training and evaluation follow the workers by themselves, and rest when all is done."""

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import User
from learning.enums import Method, TrainingState, WorkStatus
from learning.models import LabelledSet, TrainingSet
from learning.services.evaluations import ask_evaluation, evaluate_waiting
from learning.services.training_sets import gather_waiting, open_training_set
from tests.browsing import SignIn
from tests.learning.judging import Bench
from tests.learning.test_training_sets import approve_basis, around_today
from tests.pages import words_of

pytestmark = pytest.mark.django_db

ASKING_AGAIN = {"HX-Request": "true", "X-Background": "1"}
FOLLOWS = "X-Background"
"""Stands in the page while it asks again, which must not count as the person's own work."""


def test_a_version_shows_how_far_its_evaluation_is_without_a_reload(
    bench: Bench, golden: LabelledSet, administrator: User, client_for: SignIn
) -> None:
    version = bench.add(1, is_active=True, approved_by=administrator)
    client, address = client_for(administrator), reverse("learning:model", args=[version.pk])
    assert FOLLOWS not in client.get(address).content.decode()
    ask_evaluation(version_id=version.pk, set_id=golden.pk, actor=administrator)
    assert FOLLOWS in client.get(address).content.decode()
    part = client.get(address, headers=ASKING_AGAIN)
    assert "0 of 80 cells" in words_of(part)
    assert "Fingerprints" not in words_of(part)
    while version.evaluations.get().is_open:
        evaluate_waiting(worker="w")
    part = client.get(address, headers=ASKING_AGAIN)
    assert "100.0 %" in words_of(part)
    assert FOLLOWS not in part.content.decode()


@pytest.mark.parametrize(("pull", "is_told"), [(None, True), (0.1, False)])
def test_a_set_says_of_an_adapted_candidate_that_nothing_helped(
    administrator: User, pathologist: User, client_for: SignIn, bench: Bench,
    pull: float | None, is_told: bool,
) -> None:  # fmt: skip
    approve_basis(administrator, pathologist)
    since, until = around_today()
    opened = open_training_set(since=since, until=until, actor=administrator)
    gather_waiting()
    opened.retrainings.create(
        base=bench.add(1, is_active=True),
        method=Method.ADAPT,
        status=WorkStatus.DONE,
        version=bench.add(2, metrics={"adaptation": {"pull": pull}}),
        asked_by=administrator,
        is_judged=True,
    )
    TrainingSet.objects.filter(pk=opened.pk).update(
        state=TrainingState.FROZEN, digest="1" * 64, frozen_by=administrator, frozen_at=Now()
    )
    page = words_of(client_for(administrator).get(opened.get_absolute_url()))
    assert ("It names every cell as before" in page) == is_told


def test_a_set_that_is_gathered_shows_its_cells_by_itself(
    administrator: User, pathologist: User, client_for: SignIn
) -> None:
    approve_basis(administrator, pathologist)
    since, until = around_today()
    opened = open_training_set(since=since, until=until, actor=administrator)
    client, address = client_for(administrator), opened.get_absolute_url()
    page = client.get(address).content.decode()
    assert f"{address}?state=gathering" in page
    assert FOLLOWS in page
    again = client.get(f"{address}?state=gathering", headers=ASKING_AGAIN)
    assert "HX-Refresh" not in again.headers
    gather_waiting()
    assert TrainingSet.objects.get().state == TrainingState.DRAFT
    again = client.get(f"{address}?state=gathering", headers=ASKING_AGAIN)
    assert again.headers["HX-Refresh"] == "true"
    assert FOLLOWS not in client.get(address).content.decode()
