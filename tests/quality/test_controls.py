"""Controls are read by the model in use, judged by the rules, and can stop it."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case, Cell, ModelHold, ModelVersion, SmearImage
from classifier.services.model_versions import activate_version
from notifications.models import Notice
from quality.analytes import Expected, establish, measured
from quality.enums import ControlStatus, Release, Rule, TargetBasis, Verdict
from quality.exceptions import ControlRefused
from quality.models import ControlMaterial, ControlRun, ControlStop, MissedControl
from quality.selectors.controls import (
    cases_to_look_at,
    established_from,
    good_run_since,
    rules_in_force,
)
from quality.services import control_reading
from quality.services.control_runs import _claim, judge, start_run
from quality.services.control_stops import override, release, watch_controls
from quality.services.controls import (
    add_material,
    approve_target,
    propose_established,
    propose_values,
    retire_material,
    set_rules,
    withdraw_target,
)
from quality.westgard import REJECTS
from tests.clinical import MakeImage, picture_bytes
from tests.factories import UserFactory
from tests.quality.controlling import Expect, RunControl, expect, run_control, slide
from tests.running import SubmitCase, status_of, work

__all__ = ["expect", "run_control", "slide"]
pytestmark = pytest.mark.django_db
Rules = Callable[..., object]


@pytest.fixture
def rules(administrator: User) -> Rules:
    """Return what sets the laboratory's rules."""

    def make(*chosen: Rule, due_hours: int | None = None, missing_stops: bool = False) -> object:
        return set_rules(
            actor=administrator, rules=chosen or REJECTS, due_hours=due_hours,
            missing_stops=missing_stops, reason="Agreed.",
        )  # fmt: skip

    return make


class TestReading:
    def test_shares_light_and_stain_are_points_and_no_patient_hears_of_it(
        self, run_control: RunControl, model: ModelVersion
    ) -> None:
        run = run_control(neutrophils=12)
        values = {point.analyte: point.value for point in run.points.all()}
        assert (run.status, run.cells, run.verdict) == (ControlStatus.READ, 20, "")
        assert (values["neutrophil"], values["lymphocyte"]) == (60.0, 40.0)
        assert (values["referred"], values["monocyte"]) == (0.0, 0.0)
        assert {"light", "warmth", "density", "hue"} < set(values)
        assert run.model_version == model
        assert not any(each.objects.exists() for each in (Case, SmearImage, Cell))

    def test_referred_cells_are_a_figure_of_their_own(self) -> None:
        named = ["neutrophil", "neutrophil", "monocyte", "unidentified"]
        looks = [(200.0, 1.0, 0.8, 0.4), (210.0, 1.2, 1.0, 0.6)]
        found = measured(named, ["neutrophil", "monocyte"], looks)
        assert found["neutrophil"] == 50.0
        assert found["referred"] == 25.0
        assert found["light"] == 205.0
        assert found["hue"] == pytest.approx(0.5)

    def test_a_patients_picture_is_never_a_control(
        self,
        technician: User,
        case: Case,
        add_picture: MakeImage,
        slide: ControlMaterial,
        model: ModelVersion,
    ) -> None:
        add_picture(case)
        files = [("new.png", picture_bytes(5)), ("known.png", picture_bytes(1))]
        with pytest.raises(ControlRefused, match="never a patient's"):
            start_run(actor=technician, material_id=slide.pk, files=files)
        assert not ControlRun.objects.exists()
        assert not default_storage.exists("controls")

    def test_a_form_sent_twice_is_one_run(
        self, technician: User, slide: ControlMaterial, model: ModelVersion
    ) -> None:
        files = [("a.png", picture_bytes(1))]
        send = partial(start_run, actor=technician, material_id=slide.pk)
        first = send(files=files)
        assert send(files=files) == first
        assert send(files=[("b.png", picture_bytes(2))]) != first
        assert ControlRun.objects.count() == 2

    @pytest.mark.parametrize(
        ("files", "words"),
        [
            ([], "at least one"),
            ([("a.png", b"nothing")], "a.png: "),
            ([("a.png", picture_bytes(1)), ("b.png", picture_bytes(1))], "b.png is there twice"),
        ],
    )
    def test_bad_files_are_refused_in_words_and_nothing_is_stored(
        self,
        technician: User,
        slide: ControlMaterial,
        model: ModelVersion,
        files: list[tuple[str, bytes]],
        words: str,
    ) -> None:
        with pytest.raises(ControlRefused, match=words):
            start_run(actor=technician, material_id=slide.pk, files=files)
        assert not ControlRun.objects.exists()

    def test_expired_and_retired_controls_are_not_run(
        self, technician: User, administrator: User, slide: ControlMaterial, model: ModelVersion
    ) -> None:
        old = add_material(actor=administrator, name="Old", lot="1", expires_on=date(2020, 1, 1))
        retire_material(actor=administrator, material_id=slide.pk, reason="Used up.")
        for material, words in ((old, "expired"), (slide, "retired")):
            with pytest.raises(ControlRefused, match=words):
                start_run(
                    actor=technician, material_id=material.pk, files=[("a.png", picture_bytes(1))]
                )

    def test_a_control_that_cannot_be_read_says_why_and_stops_nothing(
        self,
        run_control: RunControl,
        expect: Expect,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        expect()
        monkeypatch.setattr(control_reading, "_views", lambda _picture: [])
        run = run_control()
        assert (run.status, run.message) == (ControlStatus.FAILED, control_reading.NO_CELLS)
        assert not ModelHold.objects.exists()

    def test_a_worker_that_lost_its_claim_writes_nothing(
        self, technician: User, slide: ControlMaterial, model: ModelVersion, expect: Expect
    ) -> None:
        expect()
        files = [("a.png", picture_bytes(1))]
        start_run(actor=technician, material_id=slide.pk, files=files)
        first = _claim()
        assert first is not None
        found = control_reading.read_control(first)
        ControlRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        second = _claim()
        assert second is not None
        judge(run_id=first.pk, attempt=first.attempt, measured=found)
        assert not second.points.exists()
        judge(run_id=second.pk, attempt=second.attempt, measured=found)
        judge(run_id=second.pk, attempt=second.attempt, measured=found)
        assert second.points.filter(analyte="neutrophil").count() == 1


class TestTargets:
    def test_values_judge_once_somebody_else_approved_them(
        self, administrator: User, pathologist: User, slide: ControlMaterial,
        run_control: RunControl,
    ) -> None:  # fmt: skip
        target = propose_values(
            actor=pathologist, material_id=slide.pk, values={"neutrophil": Expected(50, 5)},
            reason="Counted.",
        )  # fmt: skip
        for person in (pathologist, administrator):
            with pytest.raises(NotPermitted):
                approve_target(actor=person, target_id=target.pk)
        assert run_control().verdict == ""
        with pytest.raises(ControlRefused, match="waits for approval"):
            propose_values(
                actor=administrator, material_id=slide.pk,
                values={"neutrophil": Expected(40, 5)}, reason="Again.",
            )  # fmt: skip
        withdraw_target(actor=pathologist, target_id=target.pk)
        with pytest.raises(ControlRefused, match="withdrawn"):
            approve_target(actor=UserFactory.create(role=Role.PATHOLOGIST), target_id=target.pk)
        again = propose_values(
            actor=administrator, material_id=slide.pk, values={"neutrophil": Expected(50, 5)},
            reason="Counted twice.",
        )  # fmt: skip
        approve_target(actor=pathologist, target_id=again.pk)
        run = run_control(neutrophils=11)
        point = run.points.get(analyte="neutrophil")
        assert (run.verdict, run.target, point.z) == (Verdict.ACCEPTED, again, 1.0)
        assert run.points.get(analyte="lymphocyte").z is None

    def test_values_are_established_from_twenty_runs_that_were_not_rejected(
        self,
        administrator: User,
        slide: ControlMaterial,
        run_control: RunControl,
        model: ModelVersion,
    ) -> None:
        propose = partial(
            propose_established, actor=administrator, material_id=slide.pk,
            analytes=["neutrophil"], reason="First runs.",
        )  # fmt: skip
        for number in range(19):
            run_control(neutrophils=9 + number % 3)
        with pytest.raises(ControlRefused, match="at least 20 runs"):
            propose()
        run_control(neutrophils=10)
        found = established_from(slide, model)
        assert found.runs == 20
        assert "monocyte" not in found.values
        target = propose()
        value = target.values.get()
        shares = [5.0 * (9 + number % 3) for number in range(19)] + [50.0]
        assert (target.basis, target.runs) == (TargetBasis.ESTABLISHED, 20)
        assert Expected(value.mean, value.sd) == establish([{"x": one} for one in shares])["x"]

    @pytest.mark.parametrize("values", [{}, {"neutrophil": Expected(50, 0)}])
    def test_a_target_expects_something_with_a_spread(
        self, administrator: User, slide: ControlMaterial, values: dict[str, Expected]
    ) -> None:
        with pytest.raises(ControlRefused):
            propose_values(
                actor=administrator, material_id=slide.pk, values=values, reason="Why not."
            )

    def test_technicians_prepare_nothing(self, technician: User, slide: ControlMaterial) -> None:
        with pytest.raises(NotPermitted):
            add_material(actor=technician, name="Mine", lot="1")
        with pytest.raises(NotPermitted):
            set_rules(actor=technician, rules=[], due_hours=None, missing_stops=False, reason="So.")


class TestJudging:
    def test_a_run_beyond_two_sd_warns_and_a_second_one_rejects(
        self, expect: Expect, run_control: RunControl
    ) -> None:
        expect({"neutrophil": (50.0, 4.0)})
        assert run_control(10).verdict == Verdict.ACCEPTED
        first = run_control(12)
        assert first.verdict == Verdict.WARNING
        second = run_control(12)
        assert second.verdict == Verdict.REJECTED
        assert second.points.get(analyte="neutrophil").broken == ["1_2s", "2_2s"]

    def test_rules_that_the_laboratory_left_out_reject_nothing(
        self, expect: Expect, run_control: RunControl, rules: Rules
    ) -> None:
        expect({"neutrophil": (50.0, 4.0)})
        rules(Rule.R_1_3S)
        assert [run_control(12).verdict for _ in range(2)] == [Verdict.WARNING] * 2
        assert rules_in_force().rejecting == ("1_3s",)
        event = AuditEvent.objects.get(action="control.rules_set")
        assert (event.reason, (event.after or {})["rules"]) == ("Agreed.", ["1_3s"])

    def test_two_controls_of_one_round_that_scatter_reject(
        self, expect: Expect, run_control: RunControl, administrator: User
    ) -> None:
        other = add_material(actor=administrator, name="Pathological control", lot="P-2")
        expect({"neutrophil": (50.0, 4.0)})
        expect({"neutrophil": (50.0, 4.0)}, material=other)
        assert run_control(12).verdict == Verdict.WARNING
        run = run_control(8, material=other)
        assert run.points.get(analyte="neutrophil").broken == ["1_2s", "R_4s"]

    def test_the_next_days_control_is_no_part_of_the_round(
        self, expect: Expect, run_control: RunControl
    ) -> None:
        expect({"neutrophil": (50.0, 4.0)})
        run_control(12)
        with time_machine.travel(timezone.now() + timedelta(hours=25)):
            assert run_control(8).verdict == Verdict.WARNING

    def test_what_was_put_right_is_not_held_against_what_follows(
        self, expect: Expect, run_control: RunControl
    ) -> None:
        expect({"neutrophil": (50.0, 4.0)})
        assert run_control(14).verdict == Verdict.REJECTED
        assert run_control(12).verdict == Verdict.WARNING


@pytest.fixture
def stop(expect: Expect, run_control: RunControl) -> ControlStop:
    """The stop of a model whose control lay 4 SD too high."""
    expect()
    run_control(14)
    return ControlStop.objects.get()


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


class TestMissing:
    @pytest.mark.parametrize("missing_stops", [False, True])
    def test_an_overdue_control_is_told_once_and_stops_where_that_is_set(
        self, model: ModelVersion, rules: Rules, pathologist: User, missing_stops: bool
    ) -> None:
        rules(due_hours=8, missing_stops=missing_stops)
        watch_controls()
        assert not MissedControl.objects.exists()
        with time_machine.travel(timezone.now() + timedelta(hours=9)):
            watch_controls()
            watch_controls()
        assert MissedControl.objects.count() == 1
        assert AuditEvent.objects.filter(action="control.missed").count() == 1
        assert Notice.objects.filter(kind="quality.control", recipient=pathologist).exists()
        assert ModelHold.objects.filter(ended_at=None).exists() == missing_stops

    def test_a_good_control_moves_the_time(
        self, expect: Expect, run_control: RunControl, rules: Rules
    ) -> None:
        expect()
        rules(due_hours=8)
        with time_machine.travel(timezone.now() + timedelta(hours=6), tick=True):
            run_control(10)
        with time_machine.travel(timezone.now() + timedelta(hours=13)):
            watch_controls()
        assert not MissedControl.objects.exists()

    def test_without_a_setting_none_is_ever_due(self, model: ModelVersion) -> None:
        with time_machine.travel(timezone.now() + timedelta(days=99)):
            watch_controls()
        assert not MissedControl.objects.exists()
