"""Fields: found and named by a worker, each cell counted once, corrected by a reviewer."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AuditEvent, User
from classifier import inference
from classifier.enums import CaseStatus
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.guards import nothing_corrected_in_open_review
from classifier.models import Case, Cell, Correction, Laboratory, ModelVersion, Prediction
from classifier.selectors.cells import CellView, list_cells, list_field_cells
from classifier.selectors.differential import get_differential
from classifier.selectors.fields import estimate_platelets, summarise_fields
from classifier.services import boxes, classification, corrections, reading, reviews, runs
from classifier.services.marking import Action
from ml.errors import ArtifactError
from ml.fake import FakeClassifier
from ml.fields.features import describe
from ml.fields.overlap import match
from ml.types import BoundingBox
from tests.fields import (
    ONE_OF_EACH,
    SIZE,
    WHITE,
    PlacedDetector,
    ReadCase,
    detection,
    field_pixels,
    whites_of,
)

Step = Callable[..., Action]


@pytest.fixture
def case(read_case: ReadCase) -> Case:
    """A case of one field with two white cells, one of them cut by the edge."""
    return read_case([field_pixels(1)])


@pytest.fixture
def reviewed(case: Case, pathologist: User) -> Case:
    reviews.open_review(case_id=case.pk, actor=pathologist)
    return case


@pytest.fixture
def take(reviewed: Case, pathologist: User) -> Step:
    """Take a step of the open review as its pathologist."""

    def step(service: Callable[..., Action], **details: Any) -> Action:
        details.setdefault("action_id", uuid.uuid4())
        return service(case_id=reviewed.pk, actor=pathologist, **details)

    return step


def view_of(case: Case, cell_id: uuid.UUID) -> CellView:
    [view] = list_cells(case, [cell_id])
    return view


def summary_of(case: Case) -> Any:
    summary = summarise_fields(case, list_cells(case))
    assert summary is not None
    return summary


class TestReading:
    def test_a_worker_finds_names_and_counts(self, case: Case) -> None:
        assert case.status == CaseStatus.AWAITING_REVIEW
        image = case.images.get()
        assert image.cells.count() == len(ONE_OF_EACH)
        assert image.scan.detector == "fake-detector 0.0.0"
        assert Prediction.objects.count() == 2, "red cells and platelets need no name"
        assert [cell.finding for cell in list_cells(case)] == ["neutrophil", "neutrophil"]

    def test_what_the_edge_cuts_is_named_but_not_counted(self, case: Case) -> None:
        assert [cell.fate for cell in list_cells(case)] == ["", "edge"]
        assert get_differential(case).leukocytes == 1

    def test_red_cells_and_platelets_are_counted_a_field(self, case: Case) -> None:
        [field] = summary_of(case).fields
        counts = (field.leukocytes, field.at_edge, field.erythrocytes, field.platelets)
        assert counts == (1, 1, 2, 1)
        assert field.pixels_per_micrometre == pytest.approx(40 / 7.5)
        assert {cell.finding for cell in list_field_cells(case.images.get())} == {
            "neutrophil", "erythrocyte", "platelet"
        }  # fmt: skip

    def test_a_field_is_searched_once(
        self, case: Case, answers: FakeClassifier, detector: PlacedDetector
    ) -> None:
        before = set(Cell.objects.values_list("pk", flat=True))
        another = ModelVersion.objects.get()
        ModelVersion.objects.update(is_active=False)
        another.pk, another.version, another.is_active = None, "0.0.1", True
        another.save(force_insert=True)
        answers.version = another.version
        Case.objects.filter(pk=case.pk).update(status=CaseStatus.IN_CLASSIFICATION)
        runs.queue_runs(case)
        classification.classify_waiting_runs(worker="worker")
        assert set(Cell.objects.values_list("pk", flat=True)) == before
        assert (Prediction.objects.count(), detector.searches) == (4, 1)

    def test_a_refused_detector_fails_fields_only(
        self, monkeypatch: pytest.MonkeyPatch, detector: PlacedDetector, read_case: ReadCase
    ) -> None:
        def refuse() -> None:
            raise ArtifactError("not the released detector")

        monkeypatch.setattr(inference, "get_detector", refuse)
        case = read_case([field_pixels(1)])
        assert case.status == CaseStatus.CLASSIFICATION_FAILED
        assert case.images.get().runs.get().error_message == reading.NO_DETECTOR


class TestRepeats:
    @pytest.fixture
    def overlapping(self, read_case: ReadCase, detector: PlacedDetector) -> Case:
        """Two fields that share three quarters and a white cell, 80 pixels apart."""
        wide = field_pixels(7, (SIZE[0] + 80, SIZE[1]))
        first, second = wide[:, : SIZE[0]].copy(), wide[:, 80:].copy()
        assert match(describe(first), describe(second)), "the drawn fields must overlap"
        shifted = BoundingBox(WHITE.x0 + 80, WHITE.y0, WHITE.x1 + 80, WHITE.y1)
        detector.placed = {
            first.tobytes(): (detection("leukocyte", shifted),),
            second.tobytes(): (detection("leukocyte", WHITE),),
        }
        return read_case([first, second])

    def test_a_cell_on_two_fields_counts_once(self, overlapping: Case) -> None:
        first, second = whites_of(overlapping)
        assert (first.repeat_of_id, second.repeat_of_id) == (None, first.pk)
        assert get_differential(overlapping).leukocytes == 1
        views = {view.id: view for view in list_cells(overlapping)}
        assert views[second.pk].fate == "repeat"
        assert views[first.pk].pair == (second.pk,)
        assert views[second.pk].pair == (first.pk,)

    def test_the_reviewer_overrules_it_both_ways(
        self, overlapping: Case, pathologist: User
    ) -> None:
        reviews.open_review(case_id=overlapping.pk, actor=pathologist)
        first, second = whites_of(overlapping)
        for cell, word, counted in ((second, "distinct", 2), (first, "repeat", 1)):
            boxes.mark_repeats(
                case_id=overlapping.pk,
                actor=pathologist,
                cell_ids=[cell.pk],
                repeat=word,
                action_id=uuid.uuid4(),
            )
            assert get_differential(overlapping).leukocytes == counted
        assert AuditEvent.objects.filter(action="cell.repeat_marked").count() == 2


class TestBoxes:
    def test_adds_a_missed_cell(self, reviewed: Case, take: Step) -> None:
        image = reviewed.images.get()
        details = {"image_id": image.pk, "box": (220, 100, 280, 160), "cell_type": "monocyte"}
        action_id = uuid.uuid4()
        for _ in range(2):  # sent twice
            action = take(boxes.add_cell, **details, action_id=action_id)
        [cell_id] = action.cell_ids
        view = view_of(reviewed, cell_id)
        assert (view.finding, view.state, view.fate) == ("monocyte", "human", "")
        assert get_differential(reviewed).leukocytes == 2
        event = AuditEvent.objects.get(action="cell.added")
        assert event.after is not None
        assert event.after["cells"][str(cell_id)]["box"] == [220, 100, 280, 160]

    def test_an_added_cell_is_gone_once_undone(self, reviewed: Case, take: Step) -> None:
        details = {"box": (220, 100, 280, 160), "cell_type": "monocyte"}
        action = take(boxes.add_cell, image_id=reviewed.images.get().pk, **details)
        take(corrections.undo_last)
        assert view_of(reviewed, action.cell_ids[0]).fate == "removed"
        assert get_differential(reviewed).leukocytes == 1

    def test_a_cell_added_and_undone_leaves_an_amendment_as_it_was(
        self, reviewed: Case, take: Step
    ) -> None:
        details = {"box": (220, 100, 280, 160), "cell_type": "monocyte"}
        take(boxes.add_cell, image_id=reviewed.images.get().pk, **details)
        assert nothing_corrected_in_open_review(reviewed)
        take(corrections.undo_last)
        assert nothing_corrected_in_open_review(reviewed) is None

    def test_draws_a_box_anew_and_keeps_the_first(self, reviewed: Case, take: Step) -> None:
        cell = whites_of(reviewed)[0]
        take(corrections.correct_cells, cell_ids=[cell.pk], cell_type="basophil")
        take(boxes.reshape_cell, cell_id=cell.pk, box=(90, 70, 180, 160))
        view = view_of(reviewed, cell.pk)
        assert (view.box, view.first_box) == ((90, 70, 180, 160), tuple(WHITE.as_list()))
        assert view.finding == "basophil", "a new outline leaves the name alone"
        take(corrections.undo_last)
        assert view_of(reviewed, cell.pk).box == tuple(WHITE.as_list())

    def test_a_box_drawn_to_the_edge_counts_no_more(self, reviewed: Case, take: Step) -> None:
        cell = whites_of(reviewed)[0]
        take(boxes.reshape_cell, cell_id=cell.pk, box=(0, 70, 180, 160))
        assert view_of(reviewed, cell.pk).fate == "edge"
        assert get_differential(reviewed).leukocytes == 0

    def test_removes_a_box_and_naming_brings_it_back(self, reviewed: Case, take: Step) -> None:
        cell = whites_of(reviewed)[0]
        take(boxes.remove_cells, cell_ids=[cell.pk])
        assert view_of(reviewed, cell.pk).fate == "removed"
        assert get_differential(reviewed).cells == 0
        take(corrections.correct_cells, cell_ids=[cell.pk], cell_type="lymphocyte")
        assert get_differential(reviewed).leukocytes == 1
        assert Correction.objects.filter(cell=cell).count() == 2

    def test_a_red_cell_may_turn_out_white(self, reviewed: Case, take: Step) -> None:
        red = Cell.objects.filter(detected_as="erythrocyte").first()
        assert red is not None
        take(corrections.correct_cells, cell_ids=[red.pk], cell_type="lymphocyte")
        assert get_differential(reviewed).leukocytes == 2
        [field] = summary_of(reviewed).fields
        assert (field.leukocytes, field.erythrocytes) == (2, 1)

    @pytest.mark.parametrize(
        ("box", "problem"),
        [
            ((300, 100, 330, 130), "beyond the picture"),
            ((50, 50, 50, 90), "beyond the picture"),
            ((50, 50, 53, 90), "smaller than 5 pixels"),
        ],
    )
    def test_impossible_boxes_are_refused(
        self, reviewed: Case, take: Step, box: tuple[int, ...], problem: str
    ) -> None:
        with pytest.raises(GuardFailed, match=problem):
            take(boxes.reshape_cell, cell_id=whites_of(reviewed)[0].pk, box=box)
        assert not Correction.objects.exists()

    def test_an_action_id_names_one_step_only(self, reviewed: Case, take: Step) -> None:
        first, second = whites_of(reviewed)
        action_id = uuid.uuid4()
        take(boxes.remove_cells, cell_ids=[first.pk], action_id=action_id)
        with pytest.raises(EditConflict):
            take(boxes.remove_cells, cell_ids=[second.pk], action_id=action_id)

    def test_only_the_reviewer_may(self, reviewed: Case, technician: User) -> None:
        with pytest.raises(NotPermitted):
            boxes.remove_cells(
                case_id=reviewed.pk,
                actor=technician,
                cell_ids=[whites_of(reviewed)[0].pk],
                action_id=uuid.uuid4(),
            )


class TestPlateletEstimate:
    def test_is_the_mean_times_the_laboratory_s_factor(self, case: Case) -> None:
        assert summary_of(case).estimate.withheld == "the laboratory has set no factor"
        Laboratory.objects.filter(pk=1).update(platelet_factor=Decimal("15.5"))
        estimate = summary_of(case).estimate
        assert (estimate.value, estimate.factor) == (Decimal(16), Decimal("15.50"))

    def test_is_withheld_for_fields_of_another_size(self) -> None:
        estimate = estimate_platelets(
            30, fields=2, factor=Decimal(15), has_clumps=False, from_slide=True
        )
        assert estimate.value is None
        assert "whole slide" in estimate.withheld

    def test_is_withheld_when_platelets_clump(self, reviewed: Case, pathologist: User) -> None:
        Laboratory.objects.filter(pk=1).update(platelet_factor=Decimal(15))
        for _ in range(2):  # said twice
            reviews.set_platelet_clumps(case_id=reviewed.pk, actor=pathologist, has_clumps=True)
        assert summary_of(reviewed).estimate.value is None
        assert summary_of(reviewed).estimate.withheld == "platelets lie in clumps"
        assert AuditEvent.objects.filter(action="review.platelet_clumps").count() == 1
        reviews.release(case_id=reviewed.pk, actor=pathologist)
        reviews.open_review(case_id=reviewed.pk, actor=pathologist)
        assert summary_of(reviewed).has_clumps
