"""What a worker read is recorded once, and advances the case."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, RunStatus
from classifier.models import ClassificationRun, ModelVersion, Prediction
from classifier.services import runs
from classifier.services.transitions import transition
from ml.embedding import unpack
from tests.running import (
    CountingClassifier,
    SubmitCase,
    advances_of,
    claim,
    let_leases_expire,
    read_and_record,
    runs_of,
    status_of,
    work,
)


class TestRecording:
    def test_keeps_predictions_and_timings_and_advances_the_case(
        self, submit: SubmitCase, model: ModelVersion, answers: CountingClassifier
    ) -> None:
        case = submit(3)
        work()
        assert answers.batches == [3]
        for run in runs_of(case):
            assert run.status == RunStatus.SUCCEEDED
            assert (run.lease_expires_at, run.error_message) == (None, "")
            assert run.finished_at is not None
            assert run.decode_ms is not None
            assert run.inference_ms is not None
            prediction = run.predictions.get()
            assert prediction.cell == run.image.cells.get()
            assert prediction.confidence == pytest.approx(0.97)
            assert prediction.candidates == [prediction.cell_type]
            assert prediction.embedding is not None
            assert np.linalg.norm(unpack(prediction.embedding)) == pytest.approx(1, abs=0.01)
            assert sum(prediction.probabilities.values()) == pytest.approx(1)
        assert status_of(case) == CaseStatus.AWAITING_REVIEW
        event = AuditEvent.objects.get(action="case.complete_classification")
        assert event.actor == User.system()

    def test_a_second_delivery_changes_nothing(self, submit: SubmitCase) -> None:
        case = submit(3)
        for _ in range(3):
            work()
        assert Prediction.objects.count() == 3
        assert advances_of(case) == ["case.complete_classification"]

    def test_one_batch_serves_several_cases(
        self, submit: SubmitCase, answers: CountingClassifier
    ) -> None:
        waiting = [submit(2), submit(1), submit(3)]
        work()
        assert answers.batches == [6]
        assert {status_of(case) for case in waiting} == {CaseStatus.AWAITING_REVIEW}

    def test_drops_what_was_read_under_a_lost_lease(
        self, submit: SubmitCase, model: ModelVersion
    ) -> None:
        case = submit(1)
        slow = claim(model, "slow")
        let_leases_expire()
        runs.reap_runs()
        quick = claim(model, "quick")
        read_and_record(slow)
        assert Prediction.objects.count() == 0
        assert runs_of(case)[0].status == RunStatus.RUNNING
        read_and_record(quick)
        read_and_record(slow)
        assert Prediction.objects.count() == 1
        assert runs_of(case)[0].claimed_by == "quick"
        assert advances_of(case) == ["case.complete_classification"]

    def test_an_expired_lease_counts_while_nobody_else_took_the_run(
        self, submit: SubmitCase, model: ModelVersion
    ) -> None:
        case = submit(1)
        slow = claim(model)
        let_leases_expire()
        read_and_record(slow)
        assert status_of(case) == CaseStatus.AWAITING_REVIEW

    def test_drops_what_was_read_of_a_rejected_case(
        self, submit: SubmitCase, model: ModelVersion, technician: User
    ) -> None:
        case = submit(2)
        batch = claim(model)
        transition(case_id=case.pk, name="reject", actor=technician, reason="clotted")
        read_and_record(batch)
        assert Prediction.objects.count() == 0
        assert {run.status for run in runs_of(case)} == {RunStatus.FAILED}
        assert runs_of(case)[0].error_message == runs.REJECTED
        assert status_of(case) == CaseStatus.REJECTED

    def test_a_message_after_rejection_claims_nothing(
        self, submit: SubmitCase, model: ModelVersion, technician: User
    ) -> None:
        case = submit(2)
        transition(case_id=case.pk, name="reject", actor=technician, reason="clotted")
        work()
        assert Prediction.objects.count() == 0
        runs.reap_runs()
        assert {run.status for run in runs_of(case)} == {RunStatus.FAILED}
        assert status_of(case) == CaseStatus.REJECTED

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_finishing_a_case_together_advance_it_once(
        self, submit: SubmitCase, model: ModelVersion, settings: Settings
    ) -> None:
        settings.CLASSIFICATION_BATCH_SIZE = 2
        case = submit(8)
        batches = [claim(model, worker) for worker in "abcd"]
        start = Barrier(4)

        def finish(batch: list[ClassificationRun]) -> None:
            try:
                start.wait()
                read_and_record(batch)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(finish, batches))
        assert status_of(case) == CaseStatus.AWAITING_REVIEW
        assert advances_of(case) == ["case.complete_classification"]
        assert Prediction.objects.count() == 8

    def test_needs_no_more_queries_for_more_images(
        self,
        submit: SubmitCase,
        model: ModelVersion,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for images in (2, 24):
            submit(images)
            with django_assert_max_num_queries(51):
                work()
