"""Fixtures: the classifier of a worker, its active model, and cases whose runs wait for it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import AuditEvent, User
from classifier import inference
from classifier.enums import Priority
from classifier.models import Case, ClassificationRun, ModelVersion, Patient, SmearImage
from classifier.services import cases, classification, reading, runs
from ml.fake import FakeClassifier
from ml.types import Prediction as Answer
from tests.clinical import MakeImage, recent_specimen

SubmitCase = Callable[..., Case]
Images = Sequence[NDArray[np.uint8]]


class CountingClassifier(FakeClassifier):
    """Keeps the size of each batch, and fails on pictures of a chosen width."""

    def __init__(self, answers: Sequence[str] = ()) -> None:
        super().__init__(answers)
        self.batches: list[int] = []
        self.fails_on_width = 0

    def classify(self, images: Images) -> list[Answer]:
        self.batches.append(len(images))
        if any(image.shape[1] == self.fails_on_width for image in images):
            raise ValueError("cannot broadcast")
        return super().classify(images)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> CountingClassifier:
    """The classifier of this test's worker: everything is a neutrophil."""
    classifier = CountingClassifier(["neutrophil"])
    monkeypatch.setattr(inference, "get_classifier", lambda: classifier)
    return classifier


@pytest.fixture
def model(db: None, answers: FakeClassifier) -> ModelVersion:
    """The active model, which is the one that the worker has loaded."""
    return ModelVersion.objects.create(
        name=answers.name,
        version=answers.version,
        sha256=answers.sha256,
        class_names=list(answers.class_names),
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
    runs.record(reading.read_batch(inference.get_classifier(), batch))


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
