"""The fixtures of controls: rules of the laboratory, and a stop."""

from collections.abc import Callable

import pytest

from accounts.models import User
from quality.enums import Rule
from quality.models import ControlStop
from quality.services.controls import (
    set_rules,
)
from quality.westgard import REJECTS
from tests.quality.controlling import Expect, RunControl, expect, run_control, slide

__all__ = ["expect", "run_control", "slide"]
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


@pytest.fixture
def stop(expect: Expect, run_control: RunControl) -> ControlStop:
    """The stop of a model whose control lay 4 SD too high."""
    expect()
    run_control(14)
    return ControlStop.objects.get()
