"""Runs whose worker vanished are queued again, or given up."""

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from classifier.enums import CaseStatus, RunStatus
from classifier.models import ClassificationRun, ModelVersion
from classifier.services import runs
from tests.running import SubmitCase, claim, let_leases_expire, runs_of, status_of, work


class TestReaping:
    def test_requeues_what_a_vanished_worker_held(
        self, submit: SubmitCase, model: ModelVersion
    ) -> None:
        case = submit(1)
        claim(model, "vanished")
        runs.reap_runs()
        assert runs_of(case)[0].status == RunStatus.RUNNING, "its lease still runs"
        let_leases_expire()
        runs.reap_runs()
        [run] = runs_of(case)
        assert (run.status, run.attempt, run.claimed_by) == (RunStatus.QUEUED, 1, "")
        work()
        assert status_of(case) == CaseStatus.AWAITING_REVIEW

    def test_gives_up_on_an_image_that_stops_every_worker(
        self, submit: SubmitCase, model: ModelVersion, settings: Settings
    ) -> None:
        case = submit(2)
        for _ in range(settings.CLASSIFICATION_MAX_ATTEMPTS):
            while claim(model):
                pass
            let_leases_expire()
            runs.reap_runs()
        assert {run.error_message for run in runs_of(case)} == {runs.STOPPED}
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED

    def test_advances_a_case_whose_worker_died_between_two_steps(
        self, submit: SubmitCase, model: ModelVersion
    ) -> None:
        case = submit(1)
        ClassificationRun.objects.update(status=RunStatus.SUCCEEDED)
        runs.reap_runs()
        assert status_of(case) == CaseStatus.AWAITING_REVIEW

    @pytest.mark.parametrize(("waiting", "messages"), [(0, 0), (2, 1)])
    def test_calls_workers_only_when_runs_wait(
        self,
        submit: SubmitCase,
        waiting: int,
        messages: int,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        if waiting:
            submit(waiting)
        with django_capture_on_commit_callbacks() as published:
            runs.reap_runs()
        assert len(published) == messages
