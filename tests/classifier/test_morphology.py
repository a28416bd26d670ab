"""Graded morphology: the laboratory's features and a reviewer's findings."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CellLine
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, MorphologyFeature, MorphologyFinding
from classifier.selectors.morphology import features_in_force, latest_findings, list_lines
from classifier.services import morphology, morphology_features, reviews
from classifier.services.morphology import Observation
from tests.reviewing import MakeCase

Grade = Callable[..., tuple[MorphologyFinding, ...]]


@pytest.fixture
def open_case(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil"], in_review=True)


@pytest.fixture
def grade(open_case: Case, pathologist: User) -> Grade:
    def say(code: str, grade: int | None = None, **said: Any) -> tuple[MorphologyFinding, ...]:
        action_id = said.pop("action_id", uuid.uuid4())
        return morphology.grade_feature(
            case_id=open_case.pk,
            actor=said.pop("actor", pathologist),
            code=code,
            observation=Observation(grade, **said),
            action_id=action_id,
        )

    return say


def feature(code: str) -> MorphologyFeature:
    return next(item for item in features_in_force() if item.code == code)


def proposal(code: str, **changed: Any) -> dict[str, Any]:
    shipped = feature(code)
    return {name: getattr(shipped, name) for name in morphology_features.CONTENT} | changed


class TestCutOffs:
    @pytest.mark.parametrize(
        ("code", "percent", "expected"),
        [
            ("target_cells", "4.99", 0),
            ("target_cells", "5", 2),
            ("target_cells", "20", 2),
            ("target_cells", "20.01", 3),
            ("schistocytes", "0", 0),
            ("schistocytes", "0.5", 1),
            ("schistocytes", "1", 2),
            ("schistocytes", "2", 2),
            ("schistocytes", "2.1", 3),
            ("anisocytosis", "11", 2),
            ("toxic_granulation", "8.5", 3),
            ("doehle_bodies", "2", 2),
        ],
    )
    def test_a_grade_follows_from_a_count(
        self, db: None, code: str, percent: str, expected: int
    ) -> None:
        assert feature(code).grade_of(Decimal(percent)) == expected

    def test_only_grades_with_a_cut_off_are_used(self, db: None) -> None:
        assert feature("target_cells").grades == (0, 2, 3)
        assert feature("schistocytes").grades == (0, 1, 2, 3)
        assert feature("rouleaux").grades == (0, 1, 2, 3)
        assert feature("rouleaux").grade_of(Decimal(5)) is None

    def test_shipped_features_are_unconfirmed_and_cover_the_three_lines(self, db: None) -> None:
        shipped = features_in_force()
        assert {item.line for item in shipped} == set(CellLine.values)
        assert not any(item.is_approved for item in shipped)
        assert all(item.source for item in shipped)


class TestFindings:
    def test_the_latest_grade_counts_and_every_one_is_kept(
        self, open_case: Case, grade: Grade, pathologist: User
    ) -> None:
        grade("target_cells", 3)
        grade("target_cells", 2, comment="  many  on the edge ")
        [standing] = latest_findings(open_case).values()
        assert (standing.grade, standing.comment) == (2, "many on the edge")
        assert standing.created_by == pathologist
        assert MorphologyFinding.objects.count() == 2
        first, second = AuditEvent.objects.filter(action="morphology.graded").order_by("at")
        assert second.before is not None
        assert second.before["morphology"]["target_cells"]["grade"] == 3
        assert first.patient_id == open_case.patient_id

    def test_a_count_grades_and_may_be_overruled_with_a_mark(
        self, open_case: Case, grade: Grade
    ) -> None:
        [by_count] = grade("schistocytes", count=Decimal("1.5"))
        assert (by_count.grade, by_count.is_overruled) == (2, False)
        [overruled] = grade("schistocytes", 3, count=Decimal("1.5"))
        assert (overruled.grade, overruled.is_overruled) == (3, True)
        row = next(
            row for line in list_lines(open_case) for row in line.rows if row.code == "schistocytes"
        )
        assert row.note == "1.5 % of red cells would be 2+: overruled"

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("target_cells", {"grade": 1}),
            ("target_cells", {"grade": None}),
            ("target_cells", {"grade": 2, "count": Decimal(101)}),
            ("rouleaux", {"grade": None, "count": Decimal(5)}),
            ("rouleaux", {"grade": 2, "comment": "x" * 251}),
            ("nothing_of_this_name", {"grade": 2}),
        ],
    )
    def test_refuses_what_the_feature_cannot_say(
        self, grade: Grade, code: str, said: dict[str, Any]
    ) -> None:
        with pytest.raises(GuardFailed):
            grade(code, **said)
        assert not MorphologyFinding.objects.exists()

    def test_the_same_step_twice_is_one_step(self, grade: Grade) -> None:
        action_id = uuid.uuid4()
        once = grade("target_cells", 2, action_id=action_id)
        assert grade("target_cells", 2, action_id=action_id) == once
        assert grade("target_cells", 2) == ()
        with pytest.raises(EditConflict):
            grade("spherocytes", 2, action_id=action_id)
        assert MorphologyFinding.objects.count() == 1

    def test_a_grade_can_be_taken_back(
        self, open_case: Case, grade: Grade, pathologist: User
    ) -> None:
        grade("target_cells", 2)
        for _ in range(2):
            morphology.withdraw_grade(
                case_id=open_case.pk, actor=pathologist, code="target_cells", action_id=uuid.uuid4()
            )
        assert latest_findings(open_case) == {}
        assert MorphologyFinding.objects.filter(is_withdrawn=True).count() == 1
        assert AuditEvent.objects.filter(action="morphology.withdrawn").count() == 1

    def test_only_who_has_the_case_open_grades(
        self, open_case: Case, grade: Grade, technician: User, pathologist: User
    ) -> None:
        with pytest.raises(NotPermitted):
            grade("target_cells", 2, actor=technician)
        reviews.release(case_id=open_case.pk, actor=pathologist)
        with pytest.raises(TransitionRefused):
            grade("target_cells", 2)

    def test_rows_are_never_changed_or_removed(self, grade: Grade) -> None:
        [row] = grade("target_cells", 2)
        for change in (
            lambda: MorphologyFinding.objects.filter(pk=row.pk).update(grade=0),
            row.delete,
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()

    def test_findings_survive_the_release_of_the_case(
        self, open_case: Case, grade: Grade, pathologist: User
    ) -> None:
        grade("target_cells", 2)
        reviews.release(case_id=open_case.pk, actor=pathologist)
        assert latest_findings(open_case)["target_cells"].grade == 2


class TestLines:
    def call_rest_absent(self, case: Case, actor: User, line: str) -> None:
        morphology.call_rest_absent(case_id=case.pk, actor=actor, line=line, action_id=uuid.uuid4())

    def test_a_line_is_normal_once_all_common_features_are_absent(
        self, open_case: Case, pathologist: User
    ) -> None:
        red, *_ = list_lines(open_case)
        assert (red.statement, red.rest_label) == ("Not graded", "Normal")
        self.call_rest_absent(open_case, pathologist, "red")
        red, white, _ = list_lines(open_case)
        assert red.is_normal
        assert red.statement.startswith("Normocytic, normochromic")
        assert not white.is_normal
        assert {row.grade for row in red.common} == {0}

    def test_what_was_found_stands_when_the_rest_is_called_absent(
        self, open_case: Case, grade: Grade, pathologist: User
    ) -> None:
        grade("microcytes", 3)
        assert list_lines(open_case)[0].rest_label == "Rest absent"
        self.call_rest_absent(open_case, pathologist, "red")
        self.call_rest_absent(open_case, pathologist, "red")
        red, *_ = list_lines(open_case)
        assert red.statement == "Microcytes 3+"
        assert not red.is_normal
        common = [item for item in features_in_force() if item.line == "red" and item.is_common]
        assert MorphologyFinding.objects.count() == len(common)

    def test_refuses_an_unknown_line(self, open_case: Case, pathologist: User) -> None:
        with pytest.raises(GuardFailed):
            self.call_rest_absent(open_case, pathologist, "green")


class TestFeatures:
    def test_a_proposal_holds_once_it_is_approved(
        self, administrator: User, pathologist: User
    ) -> None:
        added = morphology_features.propose_feature(
            actor=administrator,
            code="target_cells",
            values=proposal("target_cells", two_from=Decimal(6)),
        )
        assert (added.version, added.is_approved) == (2, False)
        assert feature("target_cells").version == 1
        for _ in range(2):
            morphology_features.approve_features(actor=pathologist, feature_ids=[added.pk])
        assert feature("target_cells").version == 2
        event = AuditEvent.objects.get(action="morphology_feature.approved")
        assert event.target_label == "target_cells v2"

    def test_a_version_that_begins_tomorrow_waits(
        self, administrator: User, pathologist: User
    ) -> None:
        tomorrow = timezone.localdate() + timedelta(days=1)
        added = morphology_features.propose_feature(
            actor=administrator,
            code="target_cells",
            values=proposal("target_cells", effective_from=tomorrow),
        )
        morphology_features.approve_features(actor=pathologist, feature_ids=[added.pk])
        assert feature("target_cells").version == 1
        in_time = {item.code: item.version for item in features_in_force(tomorrow)}
        assert in_time["target_cells"] == 2

    def test_a_retired_feature_is_out_of_use_and_its_findings_stay(
        self, open_case: Case, grade: Grade, pathologist: User
    ) -> None:
        grade("rouleaux", 2)
        shipped = feature("rouleaux")
        morphology_features.retire_feature(
            actor=pathologist, feature_id=shipped.pk, reason="Not reported here."
        )
        assert "rouleaux" not in {item.code for item in features_in_force()}
        with pytest.raises(GuardFailed):
            grade("rouleaux", 3)
        assert list_lines(open_case)[0].statement == "Rouleaux 2+"
        with pytest.raises(GuardFailed, match="retired"):
            morphology_features.approve_features(actor=pathologist, feature_ids=[shipped.pk])

    def test_a_finding_keeps_the_version_by_which_it_was_graded(
        self, open_case: Case, grade: Grade, administrator: User, pathologist: User
    ) -> None:
        grade("target_cells", count=Decimal(5))
        added = morphology_features.propose_feature(
            actor=administrator,
            code="target_cells",
            values=proposal("target_cells", two_from=Decimal(6)),
        )
        morphology_features.approve_features(actor=pathologist, feature_ids=[added.pk])
        standing = latest_findings(open_case)["target_cells"]
        assert (standing.feature.version, standing.grade) == (1, 2)
        [again] = grade("target_cells", count=Decimal(5))
        assert (again.feature.version, again.grade) == (2, 0)

    def test_the_same_proposal_again_is_refused(self, administrator: User) -> None:
        with pytest.raises(GuardFailed, match="says the same"):
            morphology_features.propose_feature(
                actor=administrator, code="target_cells", values=proposal("target_cells")
            )

    def test_who_may(self, technician: User, administrator: User) -> None:
        shipped = feature("target_cells")
        with pytest.raises(NotPermitted):
            morphology_features.propose_feature(
                actor=technician, code="x", values=proposal("target_cells")
            )
        for actor in (technician, administrator):
            with pytest.raises(NotPermitted):
                morphology_features.approve_features(actor=actor, feature_ids=[shipped.pk])
            with pytest.raises(NotPermitted):
                morphology_features.retire_feature(actor=actor, feature_id=shipped.pk, reason="x")

    def test_a_version_says_for_ever_what_it_said(self, db: None) -> None:
        rows = MorphologyFeature.objects.filter(code="target_cells")
        for change in (lambda: rows.update(two_from=1), rows.delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()
