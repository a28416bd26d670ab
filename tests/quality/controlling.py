"""Controls of a test's laboratory: a slide, what is expected of it, and runs with given shares."""

from collections.abc import Callable, Mapping
from itertools import count

import pytest

from accounts.models import User
from classifier.models import ModelVersion
from quality.analytes import Expected
from quality.models import ControlMaterial, ControlRun, ControlTarget
from quality.services.control_runs import read_waiting, start_run
from quality.services.controls import add_material, approve_target, propose_values
from tests.clinical import picture_bytes
from tests.running import CountingClassifier

RunControl = Callable[..., ControlRun]
Expect = Callable[..., ControlTarget]
CELLS = 20


@pytest.fixture
def slide(administrator: User) -> ControlMaterial:
    return add_material(actor=administrator, name="Normal control", lot="N-7")


@pytest.fixture
def expect(administrator: User, pathologist: User, slide: ControlMaterial) -> Expect:
    """Return what has a control expected to be so: by default 50 % neutrophils, SD 5."""

    def make(
        values: Mapping[str, tuple[float, float]] | None = None,
        material: ControlMaterial = slide,
    ) -> ControlTarget:
        wanted = values or {"neutrophil": (50.0, 5.0)}
        target = propose_values(
            actor=administrator,
            material_id=material.pk,
            values={name: Expected(*each) for name, each in wanted.items()},
            reason="From the manual count of the lot.",
        )
        return approve_target(actor=pathologist, target_id=target.pk)

    return make


@pytest.fixture
def run_control(
    technician: User, slide: ControlMaterial, model: ModelVersion, answers: CountingClassifier
) -> RunControl:
    """Return what runs a control of which so many of 20 cells are read as neutrophils."""
    seeds = count(7000, CELLS)

    def make(neutrophils: int = 10, material: ControlMaterial = slide) -> ControlRun:
        others = ["lymphocyte"] * (CELLS - neutrophils)
        answers._answers = tuple(["neutrophil"] * neutrophils + others)
        first = next(seeds)
        files = [(f"{n}.png", picture_bytes(first + n, (48, 48))) for n in range(CELLS)]
        run = start_run(actor=technician, material_id=material.pk, files=files)
        read_waiting()
        return ControlRun.objects.get(pk=run.pk)

    return make
