"""Messages are only hints: lost, repeated or late ones change nothing in the end."""

import time
from collections.abc import Callable

import pytest
from django.db.models import Count, Max, Min

from classifier import dispatch
from classifier.enums import CaseStatus, RunStatus
from classifier.models import ClassificationRun, Prediction
from classifier.services.transitions import transition
from tests.faults.conftest import Laboratory
from tests.faults.site import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def test_work_is_found_again_after_the_broker_was_emptied(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    worker = laboratory.start_warm_worker()
    laboratory.stop_listening(worker)
    case = laboratory.submit(laboratory.register(images=40))
    lost = laboratory.broker.messages()
    assert lost > 0
    laboratory.broker.flush()
    laboratory.listen_again(worker)
    time.sleep(2)
    assert laboratory.count(case, RunStatus.QUEUED) == 40, "nobody knows of them"
    laboratory.start_scheduler()
    took = laboratory.wait_for(case, CaseStatus.AWAITING_REVIEW)
    show(
        f"{lost} message(s) lost with 40 runs queued; finished {took:.1f} s after the scheduler "
        f"started: {laboratory.check_exactly_once(case)}"
    )


def test_work_goes_on_when_the_broker_crashes_and_comes_back(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    running, unsent = laboratory.register(images=120), laboratory.register(images=20)
    worker = laboratory.start_warm_worker()
    laboratory.start_scheduler()
    laboratory.submit(running)
    laboratory.wait_for_the_middle(running)
    laboratory.broker.kill()
    done = laboratory.count(running, RunStatus.SUCCEEDED)
    assert done < 120
    laboratory.wait_for(running, CaseStatus.AWAITING_REVIEW)
    show(f"killed with {done} of 120 classified: {laboratory.check_exactly_once(running)}")
    time.sleep(1)
    started = time.monotonic()
    laboratory.submit(unsent)
    waited = time.monotonic() - started
    assert waited < 5, "the technician is not kept waiting"
    time.sleep(1)
    assert laboratory.count(unsent, RunStatus.QUEUED) == 20
    laboratory.broker.start()
    took = laboratory.wait_for(unsent, CaseStatus.AWAITING_REVIEW)
    assert worker.is_alive
    show(
        f"submitted without broker in {waited:.2f} s, finished {took:.1f} s after its return: "
        f"{laboratory.check_exactly_once(unsent)}"
    )


def test_repeated_messages_and_two_workers_double_nothing(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    case = laboratory.register(images=200)
    one = laboratory.start_warm_worker("one")
    laboratory.stop_listening(one)
    laboratory.start_warm_worker("two")
    laboratory.listen_again(one)
    laboratory.submit(case)
    for _ in range(3):
        dispatch.classify_waiting_runs()
    laboratory.wait_for(case, CaseStatus.AWAITING_REVIEW)
    for _ in range(3):
        dispatch.classify_waiting_runs()
    wait_until(lambda: laboratory.broker.messages() == 0, "the late messages are taken")
    runs = ClassificationRun.objects.filter(image__case=case)
    shares = dict(runs.values_list("claimed_by").annotate(n=Count("pk")))
    span = runs.aggregate(first=Min("started_at"), last=Max("finished_at"))
    rate = 200 / (span["last"] - span["first"]).total_seconds()
    show(f"{laboratory.check_exactly_once(case)}; by worker: {sorted(shares.values())}")
    show(f"throughput: {rate:.0f} images/s with 2 workers")


def test_a_message_after_rejection_finds_nothing_to_do(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    case = laboratory.submit(laboratory.register(images=20))
    transition(
        case_id=case.pk, name="reject", actor=laboratory.technician, reason="clotted specimen"
    )
    assert laboratory.broker.messages() == 1
    laboratory.start_worker()
    laboratory.start_scheduler()
    wait_until(lambda: laboratory.broker.messages() == 0, "the message is delivered")
    wait_until(lambda: laboratory.count(case, RunStatus.FAILED) == 20, "the runs are closed")
    assert laboratory.status(case) == CaseStatus.REJECTED
    assert not Prediction.objects.exists()
    [reason] = set(
        ClassificationRun.objects.filter(image__case=case).values_list("error_message", flat=True)
    )
    show(f"20 runs closed ({reason!r}), 0 predictions, the case stays rejected")
