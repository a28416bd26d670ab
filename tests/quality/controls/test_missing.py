"""A control that is overdue."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.models import ModelHold, ModelVersion
from notifications.models import Notice
from quality.models import MissedControl
from quality.services.control_stops import watch_controls
from tests.quality.controlling import Expect, RunControl
from tests.quality.controls.conftest import Rules

pytestmark = pytest.mark.django_db


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
