"""Controls are read by the model in use, and are nobody's result."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from classifier.models import Case, Cell, ModelHold, ModelVersion, SmearImage
from quality.analytes import measured
from quality.enums import ControlStatus
from quality.exceptions import ControlRefused
from quality.models import ControlMaterial, ControlRun
from quality.services import control_reading
from quality.services.control_runs import _claim, judge, start_run
from quality.services.controls import (
    add_material,
    retire_material,
)
from tests.clinical import MakeImage, picture_bytes
from tests.quality.controlling import Expect, RunControl

pytestmark = pytest.mark.django_db


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
