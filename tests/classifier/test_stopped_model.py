"""A stopped model reads nothing: what waits for it is kept, and read once it is released."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, RunStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import ClassificationRun, ModelHold, ModelVersion, Prediction
from classifier.services import runs
from classifier.services.holds import end_hold, hold_model
from classifier.services.model_versions import activate_version
from classifier.services.transitions import transition
from tests.pages import words_of
from tests.running import (
    SubmitCase,
    claim,
    read_and_record,
    runs_of,
    status_of,
    work,
)

ClientFor = Callable[[User], Client]
CAUSE = "The control N-7 broke rule 1-3s."
pytestmark = pytest.mark.django_db


def stop(model: ModelVersion) -> ModelHold:
    return hold_model(version=model, cause=CAUSE, actor=User.system())


def test_cases_wait_and_are_read_after_the_release(
    submit: SubmitCase, model: ModelVersion, administrator: User
) -> None:
    hold = stop(model)
    case = submit(2)
    work()
    assert claim(model) == []
    assert status_of(case) == CaseStatus.IN_CLASSIFICATION
    assert {run.status for run in runs_of(case)} == {RunStatus.QUEUED}
    end_hold(hold_id=hold.pk, actor=administrator, reason="Lamp renewed.")
    work()
    assert status_of(case) == CaseStatus.AWAITING_REVIEW


def test_what_was_being_read_when_it_was_stopped_is_put_back_untried(
    submit: SubmitCase, model: ModelVersion
) -> None:
    case = submit(1)
    batch = claim(model)
    stop(model)
    read_and_record(batch)
    [run] = runs_of(case)
    assert (run.status, run.attempt, run.claimed_by) == (RunStatus.QUEUED, 0, "")
    assert not Prediction.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["claim", "record"])
def test_nothing_slips_through_while_the_stop_is_being_written(
    submit: SubmitCase, model: ModelVersion, step: str
) -> None:
    case = submit(1)
    batch = claim(model) if step == "record" else []
    is_placed = Event()

    def race() -> int:
        is_placed.wait(10)
        try:
            if step == "record":
                read_and_record(batch)
                return Prediction.objects.count()
            return len(claim(model))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            stop(model)
            is_placed.set()
            racer = pool.submit(race)
            with pytest.raises(TimeoutError):
                racer.result(timeout=0.4)
        assert racer.result(timeout=10) == 0
    assert status_of(case) == CaseStatus.IN_CLASSIFICATION


@pytest.mark.django_db(transaction=True)
def test_a_stop_waits_for_the_claim_that_came_first(
    submit: SubmitCase, model: ModelVersion
) -> None:
    submit(1)

    def place() -> None:
        try:
            stop(model)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert len(runs.claim_batch(model=model, worker="first")) == 1
            placing = pool.submit(place)
            with pytest.raises(TimeoutError):
                placing.result(timeout=0.4)
        placing.result(timeout=10)
    assert ModelHold.objects.filter(ended_at=None).count() == 1


def test_another_version_reads_what_waits(
    submit: SubmitCase, model: ModelVersion, administrator: User
) -> None:
    stop(model)
    case = submit(1)
    other = ModelVersion.objects.create(
        name="other", version="2", sha256="2" * 64, class_names=[], approved_by=administrator
    )
    activate_version(version_id=other.pk, actor=administrator, reason="Back to what was good.")
    [run] = runs_of(case)
    assert (run.model_version, run.status) == (other, RunStatus.QUEUED)
    assert ClassificationRun.objects.claimable().get() == run


def test_what_waits_for_a_version_that_is_no_longer_in_use_is_left_to_the_one_that_is(
    submit: SubmitCase, model: ModelVersion, administrator: User
) -> None:
    case = submit(1)
    other = ModelVersion.objects.create(
        name="other", version="2", sha256="2" * 64, class_names=[], approved_by=administrator
    )
    activate_version(version_id=other.pk, actor=administrator, reason="Better.")
    assert runs_of(case)[0].model_version == model
    stop(model)
    assert runs_of(case)[0].model_version == other


def test_a_case_that_cannot_wait_goes_to_review_by_eye(
    submit: SubmitCase, model: ModelVersion, technician: User
) -> None:
    case = submit(1)
    send = partial(
        transition, case_id=case.pk, name="review_manually", actor=technician, reason="Urgent."
    )
    with pytest.raises(GuardFailed, match="is reading this case"):
        send()
    stop(model)
    send()
    assert status_of(case) == CaseStatus.AWAITING_REVIEW
    runs.reap_runs()
    assert {run.status for run in runs_of(case)} == {RunStatus.FAILED}
    assert status_of(case) == CaseStatus.AWAITING_REVIEW


def test_it_is_stopped_once_and_released_with_a_reason_by_who_may(
    model: ModelVersion, administrator: User, pathologist: User, technician: User
) -> None:
    hold = stop(model)
    assert stop(model) == hold
    with pytest.raises(NotPermitted):
        end_hold(hold_id=hold.pk, actor=technician, reason="Now.")
    with pytest.raises(GuardFailed):
        end_hold(hold_id=hold.pk, actor=administrator, reason=" ")
    end_hold(hold_id=hold.pk, actor=pathologist, reason="A good control.")
    end_hold(hold_id=hold.pk, actor=administrator, reason="Again.")
    events = AuditEvent.objects.filter(target_type="classifier.modelhold")
    assert sorted(events.values_list("action", "reason")) == [
        ("model.released", "A good control."),
        ("model.stopped", CAUSE),
    ]


def test_worklist_and_case_say_why_it_waits(
    submit: SubmitCase, model: ModelVersion, technician: User, client_for: ClientFor
) -> None:
    client = client_for(technician)
    case = submit(1)
    address = reverse("classifier:case_detail", args=[case.pk])
    by_eye = reverse("classifier:case_reason", args=[case.pk, "review_manually"])
    assert CAUSE not in words_of(client.get("/"))
    assert by_eye not in client.get(address).content.decode()
    stop(model)
    assert CAUSE in words_of(client.get("/"))
    page = client.get(address)
    assert "This case keeps its place" in words_of(page)
    assert by_eye in page.content.decode()
