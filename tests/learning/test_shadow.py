"""A candidate in shadow reads what was read, and changes nothing that counts."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case, ClassificationRun, ModelVersion, Prediction
from classifier.services import classification
from learning.models import ShadowPrediction, ShadowReading, ShadowTrial
from learning.selectors.shadow import get_shadow
from learning.services.shadow import MOST_FAILURES, read_in_shadow, start_shadow
from ml.fake import FakeClassifier
from tests.browsing import SignIn
from tests.learning.judging import Bench
from tests.pages import words_of
from tests.running import SubmitCase, runs_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidate(bench: Bench, model: ModelVersion) -> ModelVersion:
    """A candidate that calls everything a monocyte, beside a version that says neutrophil."""
    bench.classifiers[model.pk] = FakeClassifier(["neutrophil"])
    version = bench.add(2)
    bench.classifiers[version.pk] = FakeClassifier(["monocyte"])
    return version


@pytest.fixture
def trial(candidate: ModelVersion, administrator: User) -> ShadowTrial:
    return start_shadow(version_id=candidate.pk, actor=administrator)


def everything_of(case: Case) -> dict[str, Any]:
    """All that counts of a case: its row, its runs with their times, its predictions."""
    return {
        "case": list(Case.objects.filter(pk=case.pk).values()),
        "runs": list(ClassificationRun.objects.filter(image__case=case).order_by("pk").values()),
        "predictions": list(
            Prediction.objects.filter(run__image__case=case).order_by("pk").values()
        ),
    }


def test_the_shadow_reads_after_the_version_in_use_into_tables_of_its_own(
    trial: ShadowTrial, submit: SubmitCase, administrator: User
) -> None:
    case = submit(2)
    assert read_in_shadow() == 0
    classification.classify_waiting_runs(worker="w")
    before = everything_of(case)
    assert before["case"][0]["status"] == CaseStatus.AWAITING_REVIEW
    assert read_in_shadow() == 2
    assert read_in_shadow() == 0
    assert everything_of(case) == before
    assert {each.cell_type for each in ShadowPrediction.objects.all()} == {"monocyte"}
    page = get_shadow(administrator, trial)
    assert (page.cells, page.agreement["value"]) == (2, 0.0)
    assert page.disagreements == [("neutrophil", "monocyte", 2)]
    assert page.signed is None


def test_it_waits_while_live_cases_wait(trial: ShadowTrial, submit: SubmitCase) -> None:
    submit(1)
    classification.classify_waiting_runs(worker="w")
    submit(1)
    assert read_in_shadow() == 0


def test_a_failing_shadow_changes_nothing_and_ends_itself(
    trial: ShadowTrial, candidate: ModelVersion, bench: Bench, submit: SubmitCase
) -> None:
    del bench.classifiers[candidate.pk]
    case = submit(MOST_FAILURES + 2)
    classification.classify_waiting_runs(worker="w")
    before = everything_of(case)
    read_in_shadow()
    assert everything_of(case) == before
    trial.refresh_from_db()
    assert trial.ended_by == User.system()
    assert ShadowReading.objects.count() == MOST_FAILURES
    assert not ShadowPrediction.objects.exists()


def test_what_was_read_before_the_trial_began_is_left_alone(
    candidate: ModelVersion, submit: SubmitCase, administrator: User
) -> None:
    submit(1)
    classification.classify_waiting_runs(worker="w")
    start_shadow(version_id=candidate.pk, actor=administrator)
    assert read_in_shadow() == 0


def test_once_a_case_is_signed_both_are_held_against_it(
    trial: ShadowTrial, submit: SubmitCase, administrator: User, client_for: SignIn
) -> None:
    case = submit(2)
    classification.classify_waiting_runs(worker="w")
    read_in_shadow()
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.SIGNED_OFF, signed_by=administrator, signed_at=runs_of(case)[0].queued_at
    )
    page = get_shadow(administrator, trial)
    assert page.signed is not None
    assert (page.signed.live["value"], page.signed.shadow["value"]) == (1.0, 0.0)
    assert page.signed.test["only_second_right"] == 2
    shown = client_for(administrator).get(reverse("learning:shadow", args=[trial.pk]))
    assert "Against what was signed" in words_of(shown)
