"""Runs: queued, claimed by one worker, read in batches, recorded once, reaped."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import redis
from django.db import connection
from django.db.models import F
from django.utils import timezone
from numpy.typing import NDArray
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import AuditEvent, User
from classifier import inference
from classifier.enums import CaseStatus, Priority, RunStatus
from classifier.exceptions import GuardFailed
from classifier.models import (
    Case,
    Cell,
    ClassificationRun,
    ModelVersion,
    Patient,
    Prediction,
    SmearImage,
)
from classifier.services import cases, classification, runs
from classifier.services.transitions import transition
from ml.errors import ArtifactError
from ml.fake import FakeClassifier
from ml.types import Prediction as Answer
from tests.clinical import MakeImage, recent_specimen

SubmitCase = Callable[..., Case]
Images = Sequence[NDArray[np.uint8]]


class CountingClassifier(FakeClassifier):
    """Keeps the size of each batch, and fails on pictures of a chosen width."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.fails_on_width = 0

    def classify(self, images: Images) -> list[Answer]:
        self.batches.append(len(images))
        if any(image.shape[1] == self.fails_on_width for image in images):
            raise ValueError("cannot broadcast")
        return super().classify(images)


@pytest.fixture
def classifier(monkeypatch: pytest.MonkeyPatch) -> CountingClassifier:
    classifier = CountingClassifier()
    monkeypatch.setattr(inference, "get_classifier", lambda: classifier)
    return classifier


@pytest.fixture
def model(db: None, classifier: FakeClassifier) -> ModelVersion:
    """The active model, which is the one that the worker has loaded."""
    return ModelVersion.objects.create(
        name=classifier.name,
        version=classifier.version,
        sha256=classifier.sha256,
        class_names=list(classifier.class_names),
        is_active=True,
        approved_by=User.system(),
    )


@pytest.fixture
def submit(
    technician: User, patient: Patient, model: ModelVersion, add_picture: MakeImage
) -> SubmitCase:
    """Return a maker of submitted cases with so many pictures."""

    def make(images: int = 1, priority: str = Priority.ROUTINE) -> Case:
        case = cases.open_case(
            actor=technician,
            patient=patient,
            order=cases.OrderDetails(priority=priority),
            specimen=recent_specimen(),
        )
        for _ in range(images):
            add_picture(case)
        return cases.submit_case(case_id=case.pk, actor=technician)

    return make


def runs_of(case: Case) -> list[ClassificationRun]:
    return list(ClassificationRun.objects.filter(image__case=case).order_by("pk"))


def status_of(case: Case) -> str:
    return Case.objects.get(pk=case.pk).status


def work(worker: str = "worker") -> None:
    classification.classify_waiting_runs(worker=worker)


def claim(model: ModelVersion, worker: str = "worker") -> list[ClassificationRun]:
    return runs.claim_batch(model=model, worker=worker)


def read_and_record(batch: Sequence[ClassificationRun]) -> None:
    runs.record(classification.read_batch(inference.get_classifier(), batch))


def let_leases_expire() -> None:
    ClassificationRun.objects.filter(lease_expires_at__isnull=False).update(
        lease_expires_at=timezone.now() - timedelta(seconds=1)
    )


def make_older(seconds: int) -> None:
    ClassificationRun.objects.update(queued_at=F("queued_at") - timedelta(seconds=seconds))


def advances_of(case: Case) -> list[str]:
    events = AuditEvent.objects.filter(target_id=str(case.pk), action__endswith="classification")
    return [event.action for event in events.order_by("at")]


def damage(image: SmearImage) -> bytes:
    """Cut the stored picture off in the middle, and return it as it was."""
    path = Path(image.file.path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return whole


def use_field(image: SmearImage) -> None:
    SmearImage.objects.filter(pk=image.pk).update(kind="field")


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
        self, submit: SubmitCase, technician: User, classifier: CountingClassifier
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
        assert classifier.batches == [2, 1]

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


class TestRecording:
    def test_keeps_predictions_and_timings_and_advances_the_case(
        self, submit: SubmitCase, model: ModelVersion, classifier: CountingClassifier
    ) -> None:
        case = submit(3)
        work()
        assert classifier.batches == [3]
        for run in runs_of(case):
            assert run.status == RunStatus.SUCCEEDED
            assert (run.lease_expires_at, run.error_message) == (None, "")
            assert run.finished_at is not None
            assert run.decode_ms is not None
            assert run.inference_ms is not None
            prediction = run.predictions.get()
            assert prediction.cell == run.image.cells.get()
            assert prediction.confidence == pytest.approx(0.97)
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
        self, submit: SubmitCase, classifier: CountingClassifier
    ) -> None:
        waiting = [submit(2), submit(1), submit(3)]
        work()
        assert classifier.batches == [6]
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
            with django_assert_max_num_queries(36):
                work()


class TestFailing:
    def test_a_damaged_picture_fails_alone(self, submit: SubmitCase) -> None:
        case = submit(3)
        damaged, *sound = case.images.all()
        damage(damaged)
        work()
        assert damaged.runs.get().status == RunStatus.FAILED
        assert damaged.runs.get().error_message == classification.DAMAGED
        assert [image.runs.get().status for image in sound] == [RunStatus.SUCCEEDED] * 2
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED
        assert advances_of(case) == ["case.fail_classification"]

    def test_a_field_fails_with_the_reason(self, submit: SubmitCase) -> None:
        case = submit(2)
        field = case.images.first()
        assert field is not None
        use_field(field)
        work()
        assert field.runs.get().error_message == classification.FIELD_REFUSED
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED

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
        assert image.runs.get().error_message == classification.UNREADABLE
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED

    def test_rests_longer_each_time(self) -> None:
        assert runs._rest_after(1).total_seconds() == pytest.approx(5, abs=2.5)
        assert runs._rest_after(3).total_seconds() == pytest.approx(45, abs=22.5)

    def test_an_unforeseen_error_fails_its_image_alone_and_is_raised(
        self,
        submit: SubmitCase,
        classifier: CountingClassifier,
        technician: User,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        case = submit(3)
        odd = case.images.last()
        assert odd is not None
        Cell.objects.filter(image=odd).update(x1=10)
        classifier.fails_on_width = 10
        with pytest.raises(ValueError, match="broadcast"):
            work()
        assert classifier.batches == [3, 1, 1, 1]
        assert odd.runs.get().error_message == classification.UNEXPECTED
        assert f"Run {odd.runs.get().pk} failed" in caplog.text
        assert Prediction.objects.count() == 2
        assert status_of(case) == CaseStatus.CLASSIFICATION_FAILED
        transition(
            case_id=case.pk, name="review_manually", actor=technician, reason="by microscope"
        )
        assert status_of(case) == CaseStatus.AWAITING_REVIEW


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
        classifier: CountingClassifier,
        settings: Settings,
    ) -> None:
        settings.CLASSIFICATION_BATCH_SIZE = 1
        case = submit(2)
        make_older(31)
        claim(model)
        classifier.sha256 = "2" * 64
        work()
        assert status_of(case) == CaseStatus.IN_CLASSIFICATION

    def test_runs_of_a_model_that_is_not_installed_fail_with_the_reason(
        self, submit: SubmitCase, classifier: CountingClassifier
    ) -> None:
        case = submit(1)
        make_older(31)
        classifier.sha256 = "2" * 64
        work()
        assert runs_of(case)[0].error_message == classification.NOT_INSTALLED

    def test_runs_of_a_replaced_model_are_read_with_the_active_one(
        self, submit: SubmitCase, model: ModelVersion, classifier: CountingClassifier
    ) -> None:
        case = submit(1)
        make_older(31)
        ModelVersion.objects.update(is_active=False)
        classifier.version = "1.0.0"
        newer = ModelVersion.objects.create(
            name=classifier.name,
            version="1.0.0",
            sha256=classifier.sha256,
            class_names=[],
            is_active=True,
            approved_by=User.system(),
        )
        work()
        work()
        assert runs_of(case)[0].model_version == newer
        assert status_of(case) == CaseStatus.AWAITING_REVIEW
