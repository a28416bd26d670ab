"""Submitting a case queues its runs; retrying queues what failed."""

from pathlib import Path

import pytest
import redis
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from classifier.enums import CaseStatus, RunStatus
from classifier.exceptions import GuardFailed
from classifier.models import Case, ModelVersion
from classifier.services import cases
from tests.clinical import MakeImage
from tests.running import CountingClassifier, SubmitCase, damage, runs_of, status_of, work


class TestQueueing:
    def test_queues_one_run_an_image(self, submit: SubmitCase, model: ModelVersion) -> None:
        queued = runs_of(submit(3))
        assert [run.status for run in queued] == [RunStatus.QUEUED] * 3
        assert {run.model_version for run in queued} == {model}

    def test_refuses_without_an_active_model(
        self, case: Case, technician: User, add_picture: MakeImage
    ) -> None:
        add_picture(case)
        with pytest.raises(GuardFailed, match="No classifier is active"):
            cases.submit_case(case_id=case.pk, actor=technician)
        assert status_of(case) == CaseStatus.REGISTERED

    def test_retry_reads_only_what_failed(
        self, submit: SubmitCase, technician: User, answers: CountingClassifier
    ) -> None:
        case = submit(3)
        image = case.images.first()
        assert image is not None
        whole = damage(image)
        work()
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED
        Path(image.file.path).write_bytes(whole)
        cases.retry_classification(case_id=case.pk, actor=technician)
        work()
        assert status_of(case) == CaseStatus.AWAITING_REVIEW
        assert [run.status for run in runs_of(case)].count(RunStatus.SUCCEEDED) == 3
        assert len(runs_of(case)) == 4
        assert answers.batches == [2, 1]

    def test_a_case_submitted_again_with_nothing_new_to_read_goes_on(
        self, submit: SubmitCase, technician: User
    ) -> None:
        case = submit(2)
        work()
        Case.objects.filter(pk=case.pk).update(status=CaseStatus.REGISTERED)
        cases.submit_case(case_id=case.pk, actor=technician)
        work()
        assert status_of(case) == CaseStatus.AWAITING_REVIEW
        assert len(runs_of(case)) == 2

    def test_tells_the_workers_on_commit(
        self,
        submit: SubmitCase,
        settings: Settings,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
            broker.delete("inference")
            with django_capture_on_commit_callbacks(execute=True):
                submit(2)
                assert broker.llen("inference") == 0
            assert broker.llen("inference") == 1
            broker.delete("inference")
