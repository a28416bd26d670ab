"""Runs of a model that this worker has not loaded."""

import pytest
from pytest_django import Settings

from accounts.models import User
from classifier import inference
from classifier.enums import CaseStatus
from classifier.models import ModelVersion
from classifier.services import classification
from ml.errors import ArtifactError
from tests.running import (
    CountingClassifier,
    SubmitCase,
    claim,
    make_older,
    runs_of,
    status_of,
    work,
)


class TestForeignModel:
    def test_a_refused_release_fails_the_runs_that_wait(
        self, submit: SubmitCase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case = submit(2)

        def refuse() -> None:
            raise ArtifactError("the hash differs")

        monkeypatch.setattr(inference, "get_classifier", refuse)
        work()
        assert status_of(case) == CaseStatus.IN_CLASSIFICATION, "another worker may be sound"
        make_older(31)
        work()
        assert {run.error_message for run in runs_of(case)} == {classification.REFUSED}
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED

    def test_runs_are_left_to_the_workers_that_have_their_model(
        self,
        submit: SubmitCase,
        model: ModelVersion,
        answers: CountingClassifier,
        settings: Settings,
    ) -> None:
        settings.CLASSIFICATION_BATCH_SIZE = 1
        case = submit(2)
        make_older(31)
        claim(model)
        answers.sha256 = "2" * 64
        work()
        assert status_of(case) == CaseStatus.IN_CLASSIFICATION

    def test_runs_of_a_model_that_is_not_installed_fail_with_the_reason(
        self, submit: SubmitCase, answers: CountingClassifier
    ) -> None:
        case = submit(1)
        make_older(31)
        answers.sha256 = "2" * 64
        work()
        assert runs_of(case)[0].error_message == classification.NOT_INSTALLED

    def test_runs_of_a_replaced_model_are_read_with_the_active_one(
        self, submit: SubmitCase, model: ModelVersion, answers: CountingClassifier
    ) -> None:
        case = submit(1)
        make_older(31)
        ModelVersion.objects.update(is_active=False)
        answers.version = "1.0.0"
        newer = ModelVersion.objects.create(
            name=answers.name,
            version="1.0.0",
            sha256=answers.sha256,
            class_names=[],
            is_active=True,
            approved_by=User.system(),
        )
        work()
        work()
        assert runs_of(case)[0].model_version == newer
        assert status_of(case) == CaseStatus.AWAITING_REVIEW
