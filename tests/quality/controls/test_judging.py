"""Runs are judged by the rules in force."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AuditEvent, User
from quality.enums import Rule, Verdict
from quality.selectors.controls import (
    rules_in_force,
)
from quality.services.controls import (
    add_material,
)
from tests.quality.controlling import Expect, RunControl
from tests.quality.controls.conftest import Rules

pytestmark = pytest.mark.django_db


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
