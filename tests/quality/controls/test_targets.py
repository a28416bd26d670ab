"""What is expected of a control: proposed, established, approved."""

from functools import partial

import pytest

from accounts.enums import Role
from accounts.models import User
from classifier.exceptions import NotPermitted
from classifier.models import ModelVersion
from quality.analytes import Expected, establish
from quality.enums import TargetBasis, Verdict
from quality.exceptions import ControlRefused
from quality.models import ControlMaterial
from quality.selectors.controls import (
    established_from,
)
from quality.services.controls import (
    add_material,
    approve_target,
    propose_established,
    propose_values,
    set_rules,
    withdraw_target,
)
from tests.factories import UserFactory
from tests.quality.controlling import RunControl

pytestmark = pytest.mark.django_db


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
