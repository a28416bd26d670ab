"""Nothing is lost or done twice when workers are killed in the middle of a case."""

import os
import signal
from collections.abc import Callable

import pytest
from django.db import connection

from classifier.enums import CaseStatus, RunStatus
from tests.faults.conftest import Laboratory

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def test_another_worker_finishes_what_a_killed_one_began(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    case = laboratory.submit(laboratory.register(images=200))
    first = laboratory.start_worker("first")
    laboratory.wait_for_the_middle(case)
    first.kill_all()
    done = laboratory.count(case, RunStatus.SUCCEEDED)
    held = laboratory.count(case, RunStatus.RUNNING)
    assert 0 < done < 200
    show(f"killed with {done} of 200 classified and {held} held by the dead worker")
    laboratory.start_scheduler()
    laboratory.start_worker("second")
    took = laboratory.wait_for(case, CaseStatus.AWAITING_REVIEW)
    show(f"finished {took:.1f} s after the second was ready: {laboratory.check_exactly_once(case)}")


def test_a_worker_replaces_its_killed_child(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    case = laboratory.submit(laboratory.register(images=120))
    worker = laboratory.start_worker()
    laboratory.start_scheduler()
    [child] = worker.children()
    laboratory.wait_for_the_middle(case)
    os.kill(child, signal.SIGKILL)
    done = laboratory.count(case, RunStatus.SUCCEEDED)
    held = laboratory.count(case, RunStatus.RUNNING)
    assert 0 < done < 120
    took = laboratory.wait_for(case, CaseStatus.AWAITING_REVIEW)
    assert worker.is_alive
    assert worker.children() != [child]
    show(
        f"child killed with {done} of 120 classified and {held} held, finished {took:.1f} s later: "
        f"{laboratory.check_exactly_once(case)}"
    )


def test_a_worker_goes_on_when_the_database_cut_it_off(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    case = laboratory.submit(laboratory.register(images=80))
    worker = laboratory.start_worker()
    laboratory.start_scheduler()
    laboratory.wait_for_the_middle(case)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        [sessions] = cursor.fetchone()
    done = laboratory.count(case, RunStatus.SUCCEEDED)
    assert done < 80
    took = laboratory.wait_for(case, CaseStatus.AWAITING_REVIEW)
    assert worker.is_alive
    show(
        f"{sessions} database sessions ended with {done} of 80 classified, finished {took:.1f} s "
        f"later: {laboratory.check_exactly_once(case)}"
    )
