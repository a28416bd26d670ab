"""Fixtures: a site with the released model, real workers and a broker that may be killed."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import kombu.pools
import pytest
from celery import Celery, current_app
from django.core.management import call_command
from django.db import connection
from django.db.models import Count

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, RunStatus
from classifier.models import Case, Cell, ClassificationRun, Patient
from classifier.services import cases
from tests.clinical import MakeImage, recent_specimen
from tests.faults.site import START_SECONDS, Broker, Worker, wait_until

BATCH_SIZE = 8
LEASE_SECONDS = 8


class Laboratory:
    """Submits cases, starts workers, and counts what became of the cases."""

    def __init__(
        self, folder: Path, technician: User, patient: Patient, add_picture: MakeImage
    ) -> None:
        self.folder = folder
        self.technician = technician
        self.patient = patient
        self.add_picture = add_picture
        self.resources = ExitStack()
        self.broker = Broker(folder)
        self.resources.callback(self.broker.stop)

    def start_worker(self, name: str = "inference") -> Worker:
        """Start an inference worker, and return when it is ready."""
        worker = self._start(name, "--queues", "inference", "--concurrency", "1")
        wait_until(lambda: worker.said("ready.") > 0, f"{name} is ready", START_SECONDS)
        return worker

    def start_warm_worker(self, name: str = "inference") -> Worker:
        """Start an inference worker, and return when it has loaded its model."""
        worker = self.start_worker(name)
        wait_until(lambda: worker.said("] succeeded") > 0, f"{name} is warm", START_SECONDS)
        return worker

    def start_scheduler(self) -> Worker:
        """Start the worker of the default queue together with the scheduler."""
        schedule = str(self.folder / "schedule")
        return self._start("default", "-Q", "default", "-P", "solo", "-B", "-s", schedule)

    def stop_listening(self, worker: Worker) -> None:
        """Have the worker take no message from now on; a read it had begun runs out first."""
        self._command("cancel_consumer", worker)
        wait_until(lambda: not self.broker.is_awaited(), "no read is left at the broker", 20)

    def listen_again(self, worker: Worker) -> None:
        """Have the worker take messages again."""
        self._command("add_consumer", worker)

    def _command(self, command: str, worker: Worker) -> None:
        replies = current_app.control.broadcast(
            command,
            arguments={"queue": "inference"},
            destination=[worker.address],
            reply=True,
            timeout=20,
            limit=1,
        )
        assert replies
        assert "ok" in replies[0][worker.address]

    def _start(self, name: str, *options: str) -> Worker:
        worker = Worker(name, *options, environment=self._environment(), folder=self.folder)
        self.resources.callback(worker.kill_all)
        return worker

    def _environment(self) -> dict[str, str]:
        database = urlsplit(os.environ["DATABASE_URL"])
        path = f"/{connection.settings_dict['NAME']}"
        return os.environ | {
            "DATABASE_URL": database._replace(path=path).geturl(),
            "REDIS_URL": self.broker.url,
            "HEMATOVISION_VAR": str(self.folder),
            "CLASSIFICATION_BATCH_SIZE": str(BATCH_SIZE),
            "CLASSIFICATION_LEASE_SECONDS": str(LEASE_SECONDS),
            "REAP_SECONDS": "1",
        }

    def register(self, images: int) -> Case:
        case = cases.open_case(
            actor=self.technician,
            patient=self.patient,
            order=cases.OrderDetails(),
            specimen=recent_specimen(),
        )
        for _ in range(images):
            self.add_picture(case)
        return case

    def submit(self, case: Case) -> Case:
        return cases.submit_case(case_id=case.pk, actor=self.technician)

    def wait_for(self, case: Case, status: CaseStatus, seconds: float = 90) -> float:
        return wait_until(lambda: self.status(case) == status, f"the case is {status}", seconds)

    def status(self, case: Case) -> str:
        return Case.objects.values_list("status", flat=True).get(pk=case.pk)

    def count(self, case: Case, status: RunStatus) -> int:
        return ClassificationRun.objects.filter(image__case=case, status=status).count()

    def wait_for_the_middle(self, case: Case) -> None:
        """Wait until two batches are classified and a worker holds the next."""
        runs = ClassificationRun.objects.filter(image__case=case)

        def is_in_the_middle() -> bool:
            number = dict(runs.values_list("status").annotate(n=Count("pk")))
            return number.get(RunStatus.SUCCEEDED, 0) >= 2 * BATCH_SIZE and "running" in number

        wait_until(is_in_the_middle, "a worker is in the middle of the case")

    def check_exactly_once(self, case: Case) -> str:
        """Check that each image was classified once and the case advanced once; say so."""
        runs = ClassificationRun.objects.filter(image__case=case)
        images = case.images.annotate(successes=Count("runs")).values_list("successes", flat=True)
        cells = Cell.objects.filter(image__case=case)
        predicted = cells.annotate(n=Count("predictions")).values_list("n", flat=True)
        advances = AuditEvent.objects.filter(
            target_id=str(case.pk), action="case.complete_classification"
        ).count()
        assert self.status(case) == CaseStatus.AWAITING_REVIEW
        assert set(runs.values_list("status", flat=True)) == {RunStatus.SUCCEEDED}
        assert set(images) == {1}
        assert set(predicted) == {1}
        assert advances == 1
        tries = dict(sorted(runs.values_list("attempt").annotate(n=Count("pk"))))
        return (
            f"{len(images)} images, {runs.count()} successful runs, {sum(predicted)} predictions "
            f"of {len(predicted)} cells, {advances} complete_classification; "
            f"runs by number of attempts: {tries}"
        )


@pytest.fixture
def laboratory(
    transactional_db: None,
    tmp_path: Path,
    technician: User,
    patient: Patient,
    add_picture: MakeImage,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Laboratory]:
    """A laboratory whose cases are classified by real workers with the released model."""
    call_command("register_model", verbosity=0)
    site = Laboratory(tmp_path, technician, patient, add_picture)
    with site.resources:
        monkeypatch.setenv("CELERY_BROKER_URL", site.broker.url)
        _forget_connections(current_app)
        yield site
        _forget_connections(current_app)


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print what a test showed, under its name."""

    def write(text: str) -> None:
        print(f"\n  [{request.node.name}] {text}", end="")  # noqa: T201 - the test's own report

    return write


def _forget_connections(app: Celery) -> None:
    """Close this process' connections to a broker, so that the next goes to the one in force."""
    kombu.pools.reset()
    app._after_fork()  # type: ignore[attr-defined]
