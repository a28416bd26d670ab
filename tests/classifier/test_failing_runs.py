"""Runs that can't be read fail alone, rest and are given up."""

from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from classifier.enums import CaseStatus, RunStatus
from classifier.models import Cell, ModelVersion, Prediction
from classifier.services import reading, runs
from classifier.services.transitions import transition
from tests.running import (
    CountingClassifier,
    SubmitCase,
    advances_of,
    claim,
    damage,
    let_leases_expire,
    status_of,
    work,
)


class TestFailing:
    def test_a_damaged_picture_fails_alone(self, submit: SubmitCase) -> None:
        case = submit(3)
        damaged, *sound = case.images.all()
        damage(damaged)
        work()
        assert damaged.runs.get().status == RunStatus.FAILED
        assert damaged.runs.get().error_message == reading.DAMAGED
        assert [image.runs.get().status for image in sound] == [RunStatus.SUCCEEDED] * 2
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED
        assert advances_of(case) == ["case.fail_classification"]

    def test_failing_storage_puts_back_lets_rest_and_gives_up_in_the_end(
        self, submit: SubmitCase, model: ModelVersion, settings: Settings
    ) -> None:
        settings.CLASSIFICATION_MAX_ATTEMPTS = 2
        case = submit(1)
        image = case.images.get()
        Path(image.file.path).unlink()
        work()
        run = image.runs.get()
        assert (run.status, run.attempt, run.claimed_by) == (RunStatus.QUEUED, 1, "")
        assert claim(model) == [], "it rests"
        let_leases_expire()
        work()
        assert image.runs.get().status == RunStatus.FAILED
        assert image.runs.get().error_message == reading.UNREADABLE
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED

    def test_rests_longer_each_time(self) -> None:
        assert runs._rest_after(1).total_seconds() == pytest.approx(5, abs=2.5)
        assert runs._rest_after(3).total_seconds() == pytest.approx(45, abs=22.5)

    def test_an_unforeseen_error_fails_its_image_alone_and_is_raised(
        self,
        submit: SubmitCase,
        answers: CountingClassifier,
        technician: User,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        case = submit(3)
        odd = case.images.last()
        assert odd is not None
        Cell.objects.filter(image=odd).update(x1=10)
        answers.fails_on_width = 10
        with pytest.raises(ValueError, match="broadcast"):
            work()
        assert answers.batches == [3, 1, 1, 1]
        assert odd.runs.get().error_message == reading.UNEXPECTED
        assert f"Run {odd.runs.get().pk} failed" in caplog.text
        assert Prediction.objects.count() == 2
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED
        transition(
            case_id=case.pk, name="review_manually", actor=technician, reason="by microscope"
        )
        assert status_of(case) == CaseStatus.AWAITING_REVIEW
