"""Reference counts: opening one, and reading in its seats."""

import uuid
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import AuditEvent, User
from classifier.enums import StudyStatus
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, ReferenceMark, ReferenceStudy
from classifier.selectors import reference_counts as selectors
from classifier.selectors.differential import get_differential
from classifier.services import reference_counts as services
from classifier.services import reviews
from tests.reading_blind import mark, read_by_two
from tests.reviewing import cells_of


class TestOpening:
    def test_all_cells_are_read_if_there_are_fewer_than_asked_for(
        self, study: ReferenceStudy
    ) -> None:
        assert (study.cells_wanted, study.cells.count()) == (200, 6)
        assert {each.cell_id for each in study.cells.all()} == {
            cell.pk for cell in cells_of(study.case)
        }

    def test_the_draw_can_be_repeated_from_its_seed(
        self, study_case: Case, administrator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services.secrets, "randbelow", lambda _: 77)
        drawn = []
        for _ in range(2):
            study = services.open_study(case_id=study_case.pk, actor=administrator, cells_wanted=3)
            assert study.seed == 77
            drawn.append([each.cell_id for each in study.cells.all()])
            services.cancel_study(study_id=study.pk, actor=administrator, reason="Again.")
        assert drawn[0] == drawn[1]
        assert len(drawn[0]) == 3

    def test_one_at_a_time(self, study: ReferenceStudy, administrator: User) -> None:
        with pytest.raises(GuardFailed, match="going on"):
            services.open_study(case_id=study.case_id, actor=administrator)

    def test_who_may(self, study_case: Case, technician: User, pathologist: User) -> None:
        with pytest.raises(NotPermitted):
            services.open_study(case_id=study_case.pk, actor=technician)
        with pytest.raises(GuardFailed):
            services.open_study(case_id=study_case.pk, actor=pathologist, cells_wanted=0)
        assert services.open_study(case_id=study_case.pk, actor=pathologist).is_open
        event = AuditEvent.objects.get(action="reference_study.opened")
        assert event.patient_id == study_case.patient_id

    def test_not_before_the_case_is_classified(
        self, study_case: Case, technician: User, administrator: User
    ) -> None:
        Case.objects.filter(pk=study_case.pk).update(status="registered")
        with pytest.raises(TransitionRefused):
            services.open_study(case_id=study_case.pk, actor=administrator)


class TestReading:
    def test_two_read_and_a_third_finds_no_seat(
        self, study: ReferenceStudy, people: list[User]
    ) -> None:
        seats = [
            services.start_reading(study_id=study.pk, actor=person).seat for person in people[:2]
        ]
        assert seats == [1, 2]
        assert services.start_reading(study_id=study.pk, actor=people[0]).seat == 1
        with pytest.raises(TransitionRefused, match="No reader is wanted"):
            services.start_reading(study_id=study.pk, actor=people[2])

    def test_who_knows_the_case_does_not_read(
        self, study: ReferenceStudy, pathologist: User, technician: User, administrator: User
    ) -> None:
        reviews.open_review(case_id=study.case_id, actor=pathologist)
        for person in (pathologist, technician, administrator):
            with pytest.raises(NotPermitted):
                services.start_reading(study_id=study.pk, actor=person)

    def test_the_latest_mark_counts_and_every_one_is_kept(
        self, study: ReferenceStudy, people: list[User]
    ) -> None:
        reading = services.start_reading(study_id=study.pk, actor=people[0])
        mark(study, people[0], 1, "blast")
        row = mark(study, people[0], 1, "monocyte")
        assert selectors.marks_of(reading) == {1: "monocyte"}
        assert reading.marks.count() == 2
        with pytest.raises(DatabaseError), transaction.atomic():
            row.delete()

    def test_a_repeated_step_is_one_step(self, study: ReferenceStudy, people: list[User]) -> None:
        services.start_reading(study_id=study.pk, actor=people[0])
        step: dict[str, Any] = {
            "study_id": study.pk,
            "actor": people[0],
            "position": 2,
            "action_id": uuid.uuid4(),
        }
        first = services.mark_cell(cell_type="blast", **step)
        assert services.mark_cell(cell_type="blast", **step) == first
        with pytest.raises(EditConflict):
            services.mark_cell(cell_type="monocyte", **step)
        assert ReferenceMark.objects.count() == 1

    def test_refuses_other_cells_classes_and_people(
        self, study: ReferenceStudy, people: list[User]
    ) -> None:
        services.start_reading(study_id=study.pk, actor=people[0])
        with pytest.raises(GuardFailed):
            mark(study, people[0], 99, "blast")
        with pytest.raises(GuardFailed):
            mark(study, people[0], 1, "unicorn")
        with pytest.raises(TransitionRefused):
            mark(study, people[1], 1, "blast")

    def test_a_reading_ends_once_every_cell_has_a_name_and_is_closed_then(
        self, study: ReferenceStudy, people: list[User]
    ) -> None:
        services.start_reading(study_id=study.pk, actor=people[0])
        mark(study, people[0], 1, "blast")
        with pytest.raises(GuardFailed, match="5 cells are"):
            services.complete_reading(study_id=study.pk, actor=people[0])
        for position in range(2, 7):
            mark(study, people[0], position, "blast")
        for _ in range(2):
            services.complete_reading(study_id=study.pk, actor=people[0])
        with pytest.raises(TransitionRefused):
            mark(study, people[0], 1, "monocyte")

    def test_who_leaves_frees_the_seat_and_does_not_come_back(
        self, study: ReferenceStudy, people: list[User]
    ) -> None:
        services.start_reading(study_id=study.pk, actor=people[0])
        services.leave_reading(study_id=study.pk, actor=people[0])
        with pytest.raises(TransitionRefused, match="may not come back"):
            services.start_reading(study_id=study.pk, actor=people[0])
        assert services.start_reading(study_id=study.pk, actor=people[1]).seat == 1

    def test_two_who_agree_need_no_arbiter(self, study: ReferenceStudy, people: list[User]) -> None:
        read_by_two(study, people)
        assert study.status == StudyStatus.COMPLETE

    def test_an_arbiter_decides_the_cells_in_dispute_alone(
        self, study: ReferenceStudy, people: list[User]
    ) -> None:
        truth = read_by_two(study, people, basophil="eosinophil")
        assert study.status == StudyStatus.ARBITRATION
        disputed = next(at for at, name in truth.items() if name == "basophil")
        services.start_reading(study_id=study.pk, actor=people[3])
        with pytest.raises(TransitionRefused):
            services.start_reading(study_id=study.pk, actor=people[2])
        services.leave_reading(study_id=study.pk, actor=people[3])
        arbiter = services.start_reading(study_id=study.pk, actor=people[2])
        task = selectors.task_of(arbiter, None)
        assert task.positions == (disputed,)
        assert task.contested == {disputed: ("eosinophil", "basophil")}
        with pytest.raises(GuardFailed):
            mark(study, people[2], next(at for at in truth if at != disputed), "blast")
        mark(study, people[2], disputed, "basophil")
        services.complete_reading(study_id=study.pk, actor=people[2])
        study.refresh_from_db()
        assert study.status == StudyStatus.COMPLETE

    def test_the_case_is_left_as_it_was(
        self, study_case: Case, study: ReferenceStudy, people: list[User]
    ) -> None:
        before = get_differential(study_case)
        read_by_two(study, people)
        assert get_differential(study_case) == before
        assert not study_case.reviews.exists()

    def test_cancelling_needs_a_reason_and_the_right_person(
        self, study: ReferenceStudy, people: list[User], administrator: User
    ) -> None:
        with pytest.raises(NotPermitted):
            services.cancel_study(study_id=study.pk, actor=people[0], reason="x")
        with pytest.raises(GuardFailed):
            services.cancel_study(study_id=study.pk, actor=administrator, reason=" ")
        services.cancel_study(study_id=study.pk, actor=administrator, reason="Wrong study_case.")
        with pytest.raises(TransitionRefused):
            services.start_reading(study_id=study.pk, actor=people[0])
