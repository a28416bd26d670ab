"""A worker claims a batch of runs: the most urgent first, each held by one alone."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from classifier.enums import Priority, RunStatus
from classifier.models import ClassificationRun, ModelVersion
from classifier.services import runs
from tests.running import SubmitCase, claim, runs_of


class TestClaiming:
    def test_takes_the_most_urgent_first_and_across_cases(
        self, submit: SubmitCase, model: ModelVersion, settings: Settings
    ) -> None:
        settings.CLASSIFICATION_BATCH_SIZE = 3
        routine, urgent = submit(2), submit(1, Priority.URGENT)
        stat = submit(1, Priority.STAT)
        claimed = [run.image.case for run in claim(model)]
        assert claimed == [stat, urgent, routine]
        assert [run.image.case for run in claim(model)] == [routine]
        assert claim(model) == []

    def test_notes_who_holds_the_run_and_until_when(
        self, submit: SubmitCase, model: ModelVersion, settings: Settings
    ) -> None:
        submit(1)
        [claimed] = claim(model, "host:7")
        [run] = ClassificationRun.objects.all()
        assert (run.status, run.attempt, run.claimed_by) == (RunStatus.RUNNING, 1, "host:7")
        assert (claimed.attempt, claimed.claimed_by) == (1, "host:7")
        assert run.lease_expires_at is not None
        assert run.started_at is not None
        lease = (run.lease_expires_at - run.started_at).total_seconds()
        assert lease == settings.CLASSIFICATION_LEASE_SECONDS

    def test_leaves_runs_of_another_model_alone(
        self, submit: SubmitCase, model: ModelVersion
    ) -> None:
        submit(1)
        other = ModelVersion.objects.create(
            name="other", version="1", sha256="1" * 64, class_names=[], approved_by=User.system()
        )
        assert claim(other) == []

    def test_takes_alone_what_came_back(self, submit: SubmitCase, model: ModelVersion) -> None:
        case = submit(3)
        first = runs_of(case)[0]
        ClassificationRun.objects.filter(pk=first.pk).update(attempt=1)
        assert claim(model) == [first]
        assert len(claim(model)) == 2

    def test_keeps_a_batch_within_memory(
        self, submit: SubmitCase, model: ModelVersion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submit(3)
        monkeypatch.setattr(runs, "MOST_PIXELS_AT_ONCE", 2 * 64 * 64)
        assert len(claim(model)) == 2
        monkeypatch.setattr(runs, "MOST_PIXELS_AT_ONCE", 1)
        assert len(claim(model)) == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_at_once_never_hold_the_same_run(
        self, submit: SubmitCase, model: ModelVersion, settings: Settings
    ) -> None:
        settings.CLASSIFICATION_BATCH_SIZE = 4
        case = submit(20)
        start = Barrier(4)

        def claim_all(worker: str) -> list[int]:
            try:
                start.wait()
                mine: list[int] = []
                while batch := claim(model, worker):
                    mine += [run.pk for run in batch]
                return mine
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            shares = list(pool.map(claim_all, "abcd"))
        claimed = sorted(pk for share in shares for pk in share)
        assert claimed == [run.pk for run in runs_of(case)]
        assert {run.attempt for run in runs_of(case)} == {1}
