"""A rejected control stops the model until somebody releases it."""

from functools import partial

import pytest

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import ModelHold, ModelVersion
from classifier.services.model_versions import activate_version
from notifications.models import Notice
from quality.enums import Release, Verdict
from quality.exceptions import ControlRefused
from quality.models import ControlMaterial, ControlStop
from quality.selectors.controls import (
    cases_to_look_at,
    good_run_since,
)
from quality.services.control_runs import start_run
from quality.services.control_stops import override, release
from tests.clinical import picture_bytes
from tests.quality.controlling import Expect, RunControl
from tests.running import SubmitCase, status_of, work

pytestmark = pytest.mark.django_db


class TestStopping:
    def test_a_rejection_stops_the_model_and_everybody_is_told(
        self, submit: SubmitCase, stop: ControlStop, technician: User, pathologist: User
    ) -> None:
        case = submit(1)
        work()
        assert status_of(case) == CaseStatus.IN_CLASSIFICATION
        cause = "Its control Normal control, lot N-7 broke rule 1-3s (Neutrophil)."
        assert stop.hold.cause == cause
        told = set(
            Notice.objects.filter(kind="quality.stopped").values_list("recipient", flat=True)
        )
        assert {technician.pk, pathologist.pk} <= told

    def test_it_reads_again_after_a_good_control_and_a_persons_word(
        self,
        submit: SubmitCase,
        stop: ControlStop,
        run_control: RunControl,
        pathologist: User,
        technician: User,
    ) -> None:
        case = submit(1)
        with pytest.raises(ControlRefused, match="No control was good"):
            release(stop_id=stop.pk, actor=pathologist, reason="New stain.")
        good = run_control(10)
        work()
        assert status_of(case) == CaseStatus.IN_CLASSIFICATION
        with pytest.raises(NotPermitted):
            release(stop_id=stop.pk, actor=technician, reason="New stain.")
        with pytest.raises(GuardFailed):
            release(stop_id=stop.pk, actor=pathologist, reason=" ")
        for _ in range(2):
            release(stop_id=stop.pk, actor=pathologist, reason="New stain.")
        work()
        assert status_of(case) == CaseStatus.AWAITING_REVIEW
        stop.refresh_from_db()
        assert (stop.release, stop.good_run) == (Release.GOOD_RUN, good)
        assert AuditEvent.objects.filter(action="model.released").count() == 1

    def test_a_later_rejection_takes_back_what_a_good_run_allowed(
        self, stop: ControlStop, run_control: RunControl, pathologist: User
    ) -> None:
        run_control(10)
        assert good_run_since(stop) is not None
        run_control(15)
        assert good_run_since(stop) is None
        with pytest.raises(ControlRefused):
            release(stop_id=stop.pk, actor=pathologist, reason="It was good once.")

    def test_releasing_it_without_a_good_control_raises_an_alarm(
        self, stop: ControlStop, administrator: User, pathologist: User
    ) -> None:
        override(stop_id=stop.pk, actor=administrator, reason="The slide was scratched.")
        event = AuditEvent.objects.get(action="control.overridden")
        assert (event.actor_id, event.reason) == (administrator.pk, "The slide was scratched.")
        told = Notice.objects.filter(kind="quality.control")
        assert list(told.values_list("recipient", flat=True)) == [pathologist.pk]
        assert not ModelHold.objects.filter(ended_at=None).exists()

    def test_another_version_in_use_reads_what_waits_and_the_stop_stays(
        self, submit: SubmitCase, stop: ControlStop, administrator: User
    ) -> None:
        case = submit(1)
        other = ModelVersion.objects.create(
            name="other", version="2", sha256="2" * 64, class_names=[], approved_by=administrator
        )
        activate_version(version_id=other.pk, actor=administrator, reason="Back.")
        assert case.images.get().runs.get().model_version == other
        assert ModelHold.objects.get().ended_at is None

    def test_cases_read_since_the_last_good_control_are_listed(
        self,
        submit: SubmitCase,
        expect: Expect,
        run_control: RunControl,
        pathologist: User,
    ) -> None:
        expect()
        before = submit(1)
        work()
        assert run_control(10).verdict == Verdict.ACCEPTED
        since = submit(2)
        work()
        run_control(15)
        found = cases_to_look_at(pathologist, ControlStop.objects.get())
        assert list(found) == [since]
        assert before not in found

    def test_a_stopped_version_can_be_controlled_though_it_is_not_in_use(
        self, stop: ControlStop, technician: User, administrator: User, slide: ControlMaterial
    ) -> None:
        stopped = stop.hold.model_version
        other = ModelVersion.objects.create(
            name="other", version="2", sha256="2" * 64, class_names=[], approved_by=administrator
        )
        activate_version(version_id=other.pk, actor=administrator, reason="Back.")
        ask = partial(start_run, actor=technician, material_id=slide.pk)
        run = ask(version_id=stopped.pk, files=[("a.png", picture_bytes(900, (48, 48)))])
        assert run.model_version == stopped
        with pytest.raises(ControlRefused, match="neither in use nor stopped"):
            ask(version_id=0, files=[("a.png", picture_bytes(901))])
