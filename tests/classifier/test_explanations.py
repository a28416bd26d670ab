"""Explanations: asked for once, made by a worker that gives way, recorded, cancelled, reaped."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.db.models.fields.files import FieldFile
from django.http import Http404
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier import inference
from classifier.enums import CaseStatus, ExplanationStatus, RunStatus
from classifier.exceptions import GuardFailed
from classifier.models import Case, Cell, ClassificationRun, Explanation, ModelVersion
from classifier.services import cases, explaining, explanations
from ml.errors import ArtifactError
from tests.clinical import MakeImage, recent_specimen
from tests.explaining import QUICK, FakeExplainer, ask, work
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of

QUEUED, RUNNING, DONE = (
    ExplanationStatus.QUEUED,
    ExplanationStatus.RUNNING,
    ExplanationStatus.DONE,
)
FAILED, CANCELLED = ExplanationStatus.FAILED, ExplanationStatus.CANCELLED


@pytest.fixture
def cell(classified_case: MakeCase) -> Cell:
    return cells_of(classified_case(["neutrophil"]))[0]


def statuses() -> set[str]:
    return set(Explanation.objects.values_list("status", flat=True))


def strengths(layer: FieldFile) -> NDArray[np.uint8]:
    """How strong a stored layer is at each of its pixels, uint8[H, W]."""
    with layer.open("rb") as file, Image.open(file) as picture:
        return np.asarray(picture)[..., 3]


def let_leases_expire() -> None:
    Explanation.objects.filter(lease_expires_at__isnull=False).update(
        lease_expires_at=timezone.now() - timedelta(seconds=1)
    )


@pytest.fixture
def waiting_run(
    technician: User, active_model: ModelVersion, add_picture: MakeImage
) -> Callable[[Case], ClassificationRun]:
    """Return a maker of another case of the same patient whose image waits to be read."""

    def make(case: Case) -> ClassificationRun:
        other = cases.open_case(
            actor=technician,
            patient=case.patient,
            order=cases.OrderDetails(),
            specimen=recent_specimen(),
        )
        add_picture(other)
        cases.submit_case(case_id=other.pk, actor=technician)
        return ClassificationRun.objects.get(image__case=other)

    return make


class TestAsking:
    def test_the_same_request_twice_makes_one_row_a_method(
        self, cell: Cell, pathologist: User
    ) -> None:
        first, second = ask(cell, pathologist), ask(cell, pathologist)
        assert [each.pk for each in first] == [each.pk for each in second]
        assert Explanation.objects.count() == len(QUICK)
        event = AuditEvent.objects.get(action="explanation.requested")
        assert event.after is not None
        assert event.after["methods"] == list(QUICK)
        assert event.patient_id == cell.image.case.patient_id

    def test_another_class_is_another_question(self, cell: Cell, pathologist: User) -> None:
        ask(cell, pathologist, "lime")
        ask(cell, pathologist, "lime", cell_type="monocyte")
        assert Explanation.objects.count() == 2

    def test_the_version_that_read_the_cell_explains_it_after_another_was_put_in_use(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer, active_model: ModelVersion
    ) -> None:
        ask(cell, pathologist)
        work()
        ModelVersion.objects.filter(pk=active_model.pk).update(is_active=False)
        ModelVersion.objects.create(
            name=active_model.name,
            version="1.0.0",
            sha256="1" * 64,
            class_names=active_model.class_names,
            is_active=True,
            approved_by=User.system(),
        )
        ask(cell, pathologist)
        ask(cell, pathologist, "lime")
        work()
        done = Explanation.objects.filter(status=DONE)
        assert {each.model_version for each in done} == {active_model}
        assert done.count() == 3

    def test_whoever_may_not_see_the_case_finds_no_cell(self, cell: Cell) -> None:
        stranger = UserFactory.create(role=Role.CONSULTANT)
        with pytest.raises(Http404):
            ask(cell, stranger)

    def test_a_cell_that_no_machine_read_has_nothing_to_explain(
        self, classified_case: MakeCase, pathologist: User
    ) -> None:
        [unread] = cells_of(classified_case([""]))
        with pytest.raises(GuardFailed, match="No machine has named this cell"):
            ask(unread, pathologist)

    def test_a_class_that_the_model_lacks_is_refused_in_words(
        self, cell: Cell, pathologist: User
    ) -> None:
        with pytest.raises(GuardFailed, match="doesn't know the class blast"):
            ask(cell, pathologist, cell_type="blast")
        assert not Explanation.objects.exists()


class TestMaking:
    def test_both_quick_maps_show_before_their_scores_are_measured(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        ask(cell, pathologist)
        work()
        assert [(method, is_scored) for method, _, is_scored in explainer.asked] == [
            ("gradcam", False),
            ("gradcam++", False),
            ("gradcam", True),
            ("gradcam++", True),
        ]
        assert statuses() == {DONE}

    def test_what_was_measured_and_who_measured_it_is_kept(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer, active_model: ModelVersion
    ) -> None:
        ask(cell, pathologist, "shap")
        work()
        made = Explanation.objects.get()
        assert made.model_version == active_model
        assert made.box == cell.box
        assert made.probability == 0.97
        assert made.scores["random_deletion"] == 0.7
        assert len(made.scores["deletion_curve"]) == 32
        assert made.caption["meaning"].startswith("SHAP: bright where")
        assert made.parameters == {"seed": 0}
        assert made.duration_ms is not None
        assert made.finished_at is not None
        assert (made.done, made.total) == (320, 320)

    def test_the_layer_lies_where_the_map_does(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        ask(cell, pathologist, "shap")
        work()
        made = Explanation.objects.get()
        assert made.region == [0, 0, 64, 64]
        alpha = strengths(made.heat)
        assert (alpha[:, :31] == 255).all()
        assert (alpha[:, 33:] == 0).all()
        against = strengths(made.against)
        assert against[-1, -1] == 128
        assert made.outlines["for"].startswith("M0.5 0.5")
        assert "31.5 63.5" in made.outlines["for"]
        assert made.outlines["seen"] == [0, 0, 64, 64]

    def test_grad_cam_says_nothing_against_a_class(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        ask(cell, pathologist, "gradcam")
        work()
        made = Explanation.objects.get()
        assert not made.against
        assert made.outlines["against"] == ""

    def test_quick_ones_go_before_slow_ones(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        ask(cell, pathologist, "shap")
        ask(cell, pathologist, "gradcam")
        work()
        assert [method for method, _, _ in explainer.asked] == ["gradcam", "gradcam", "shap"]

    def test_another_models_request_is_left_alone_while_it_is_young(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        ask(cell, pathologist, "shap")
        explainer.model = ("other", "0.0.0", "f" * 64)
        work()
        assert statuses() == {QUEUED}
        Explanation.objects.update(requested_at=timezone.now() - timedelta(minutes=1))
        work()
        assert Explanation.objects.get().error_message == explaining.NOT_INSTALLED


class TestGivingWay:
    def test_no_explanation_begins_while_an_image_waits_to_be_read(
        self,
        cell: Cell,
        pathologist: User,
        explainer: FakeExplainer,
        waiting_run: Callable[[Case], ClassificationRun],
    ) -> None:
        waiting_run(cell.image.case)
        ask(cell, pathologist)
        work()
        assert explainer.asked == []
        assert statuses() == {QUEUED}

    def test_one_that_was_begun_is_put_back_and_made_afterwards(
        self,
        cell: Cell,
        pathologist: User,
        explainer: FakeExplainer,
        waiting_run: Callable[[Case], ClassificationRun],
    ) -> None:
        ask(cell, pathologist, "shap")
        explainer.interrupt = lambda: waiting_run(cell.image.case)
        work()
        made = Explanation.objects.get()
        assert (made.status, made.attempt, made.claimed_by, made.done) == (QUEUED, 0, "", 0)
        ClassificationRun.objects.filter(status=RunStatus.QUEUED).update(
            status=RunStatus.FAILED, error_message="done with"
        )
        explainer.interrupt = lambda: None
        work()
        assert statuses() == {DONE}

    def test_a_slow_one_lets_a_quick_map_through_and_is_made_afterwards(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        ask(cell, pathologist, "shap")
        explainer.interrupt = lambda: ask(cell, pathologist)
        work()
        assert [method for method, _, _ in explainer.asked] == [
            *("shap", "gradcam", "gradcam++"),
            *("gradcam", "gradcam++", "shap"),
        ]
        assert statuses() == {DONE}

    def test_a_map_that_shows_already_is_kept(
        self,
        cell: Cell,
        pathologist: User,
        explainer: FakeExplainer,
        waiting_run: Callable[[Case], ClassificationRun],
    ) -> None:
        ask(cell, pathologist)
        explainer.interrupt = lambda: waiting_run(cell.image.case)
        work()
        assert statuses() == {QUEUED}
        assert all(each.heat for each in Explanation.objects.all())


class TestCancelling:
    def test_a_waiting_one_is_not_made(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        [asked] = ask(cell, pathologist, "lime")
        explanations.cancel_explanation(explanation_id=asked.pk, actor=pathologist)
        work()
        assert explainer.asked == []
        assert statuses() == {CANCELLED}
        assert AuditEvent.objects.filter(action="explanation.cancelled").count() == 1

    def test_one_that_is_being_made_stops(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        [asked] = ask(cell, pathologist, "lime")
        explainer.interrupt = lambda: explanations.cancel_explanation(
            explanation_id=asked.pk, actor=pathologist
        )
        work()
        asked.refresh_from_db()
        assert (asked.status, bool(asked.heat)) == (CANCELLED, False)

    def test_it_can_be_asked_for_again(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        [asked] = ask(cell, pathologist, "lime")
        explanations.cancel_explanation(explanation_id=asked.pk, actor=pathologist)
        ask(cell, pathologist, "lime")
        work()
        assert statuses() == {DONE}

    def test_one_that_has_ended_stays(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        [asked] = ask(cell, pathologist, "lime")
        work()
        explanations.cancel_explanation(explanation_id=asked.pk, actor=pathologist)
        assert statuses() == {DONE}
        assert not AuditEvent.objects.filter(action="explanation.cancelled").exists()


class TestFailing:
    def test_a_killed_workers_explanation_is_taken_back_and_at_last_given_up(
        self, cell: Cell, pathologist: User, active_model: ModelVersion
    ) -> None:
        ask(cell, pathologist, "shap")
        for _ in range(explanations.MOST_ATTEMPTS - 1):
            assert explanations.claim_next(model=active_model, worker="killed")
            let_leases_expire()
            explanations.reap_explanations()
            assert statuses() == {QUEUED}
            let_leases_expire()
        assert explanations.claim_next(model=active_model, worker="killed")
        let_leases_expire()
        explanations.reap_explanations()
        assert Explanation.objects.get().error_message == explanations.STOPPED

    def test_a_living_workers_explanation_is_not_taken_from_it(
        self, cell: Cell, pathologist: User, active_model: ModelVersion
    ) -> None:
        ask(cell, pathologist, "shap")
        explanations.claim_next(model=active_model, worker="alive")
        explanations.reap_explanations()
        assert statuses() == {RUNNING}
        assert explanations.claim_next(model=active_model, worker="other") == []

    def test_a_damaged_picture_is_named(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        Path(cell.image.file.path).write_bytes(b"no picture")
        ask(cell, pathologist)
        work()
        assert {each.error_message for each in Explanation.objects.all()} == {explaining.DAMAGED}

    def test_a_missing_picture_is_tried_again_after_a_rest(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        Path(cell.image.file.path).unlink()
        ask(cell, pathologist, "lime")
        for _ in range(explanations.MOST_ATTEMPTS):
            assert statuses() == {QUEUED}
            work()
            let_leases_expire()
        assert Explanation.objects.get().error_message == explaining.UNREADABLE

    def test_a_failing_network_gives_words_and_can_be_tried_again(
        self, cell: Cell, pathologist: User, explainer: FakeExplainer
    ) -> None:
        explainer.error = ValueError("cannot broadcast")
        ask(cell, pathologist)
        work()
        assert {each.error_message for each in Explanation.objects.all()} == {explaining.UNEXPECTED}
        explainer.error = None
        ask(cell, pathologist)
        work()
        assert statuses() == {DONE}

    def test_a_refused_release_gives_words_once_others_had_time_to_answer(
        self, cell: Cell, pathologist: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse() -> None:
            raise ArtifactError("tampered")

        monkeypatch.setattr(inference, "get_explainer", refuse)
        ask(cell, pathologist, "lime")
        Explanation.objects.update(requested_at=timezone.now() - timedelta(minutes=1))
        work()
        assert Explanation.objects.get().error_message == explaining.REFUSED

    def test_a_registered_case_cannot_be_asked_about(self, cell: Cell, pathologist: User) -> None:
        Case.objects.filter(pk=cell.image.case_id).update(status=CaseStatus.REGISTERED)
        with pytest.raises(GuardFailed, match="can't be looked at yet"):
            ask(cell, pathologist)
