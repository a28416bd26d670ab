"""Critical alerts: raised, updated and closed in the transaction of the finding."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed
from classifier.models import (
    Case,
    CriticalAlert,
    CriticalLimit,
    CriticalSnapshot,
    Laboratory,
    Patient,
)
from classifier.selectors.critical import assess, get_state
from classifier.selectors.critical_limits import find_platelets
from classifier.services import corrections, reviews
from classifier.services.cases import OrderDetails, open_case
from classifier.services.critical_calls import refresh_alert
from classifier.services.transitions import transition
from tests.clinical import MakeImage, recent_specimen
from tests.criticals import alert_of
from tests.reviewing import MakeCase

Correct = Callable[..., object]
Counted = Callable[..., Case]

FEW = ["lymphocyte"] * 9 + ["neutrophil"]


class TestRaising:
    def test_a_low_absolute_count_raises_an_alert_with_the_limit_that_judged(
        self, counted_case: Counted
    ) -> None:
        case = counted_case("4.0", FEW)  # 10 % of 4.0 is 0.40
        (finding,) = alert_of(case).snapshots.get().says
        assert (finding.analyte, finding.side, finding.value) == (
            "neutrophil",
            "low",
            Decimal("0.40"),
        )
        assert finding.words == "Neutrophil 0.40 × 10⁹/L"  # noqa: RUF001
        assert (finding.limit, finding.limit_version) == (Decimal("0.50"), 1)
        assert not finding.is_approved
        event = AuditEvent.objects.get(action="critical.raised")
        assert event.actor == User.system()

    def test_without_a_white_count_there_is_no_absolute_count_to_judge(
        self, classified_case: MakeCase
    ) -> None:
        case = classified_case(["lymphocyte"] * 3)
        refresh_alert(case.pk)
        assert not CriticalAlert.objects.exists()

    @pytest.mark.parametrize(
        ("wbc", "side"), [("2.00", "low"), ("2.01", None), ("30.00", None), ("30.01", "high")]
    )
    def test_the_white_count_is_judged_at_the_limit(
        self, counted_case: Counted, wbc: str, side: str | None
    ) -> None:
        case = counted_case(wbc, ["neutrophil"])
        sides = [item.side for item in assess(case) if item.analyte == "wbc"]
        assert sides == ([side] if side else [])

    def test_is_raised_when_classification_completes_and_says_not_confirmed(
        self, counted_case: Counted
    ) -> None:
        case = counted_case("7.0", FEW)
        Case.objects.filter(pk=case.pk).update(
            status=CaseStatus.IN_CLASSIFICATION, wbc_count=Decimal("4.0")
        )
        transition(case_id=case.pk, name="complete_classification", actor=User.system())
        (finding,) = alert_of(case).snapshots.get().says
        assert not finding.is_confirmed

    def test_opening_the_review_confirms_what_leaves_nothing_to_decide(
        self, counted_case: Counted
    ) -> None:
        case = counted_case("4.0", FEW, in_review=True)
        says = [snapshot.says[0].is_confirmed for snapshot in alert_of(case).snapshots.all()]
        assert says == [False, True]

    def test_a_step_that_is_refused_raises_nothing(
        self, classified_case: MakeCase, correct: Correct
    ) -> None:
        case = classified_case(FEW, in_review=True)
        with pytest.raises(GuardFailed):
            correct(case, [0], "no such class")
        assert not CriticalAlert.objects.exists()

    def test_there_is_one_open_alert_a_case(self, counted_case: Counted) -> None:
        case = counted_case("4.0", FEW)
        refresh_alert(case.pk)
        assert CriticalSnapshot.objects.count() == 1
        with pytest.raises(IntegrityError):
            CriticalAlert.objects.create(case=case, raised_at=timezone.now())


class TestReviewing:
    def test_naming_a_blast_raises_and_undoing_closes(
        self, classified_case: MakeCase, correct: Correct, pathologist: User
    ) -> None:
        case = classified_case(FEW, in_review=True)
        correct(case, [0], "blast")
        (finding,) = alert_of(case).snapshots.get().says
        assert (finding.side, finding.value, finding.is_confirmed) == ("seen", Decimal(1), True)
        corrections.undo_last(case_id=case.pk, actor=pathologist, action_id=uuid.uuid4())
        alert = CriticalAlert.objects.get()
        assert alert.closed_at
        assert alert.waiting_since is None
        assert AuditEvent.objects.filter(action="critical.closed").count() == 1

    def test_a_change_of_value_is_another_snapshot_of_the_same_alert(
        self, counted_case: Counted, correct: Correct
    ) -> None:
        case = counted_case("4.0", FEW, in_review=True)
        correct(case, [9], "lymphocyte")
        assert [item.says[0].value for item in alert_of(case).snapshots.all()][-1] == 0
        assert AuditEvent.objects.filter(action="critical.updated").count() == 2

    def test_rejecting_the_specimen_voids_the_alert(
        self, counted_case: Counted, pathologist: User
    ) -> None:
        case = counted_case("4.0", FEW, in_review=True)
        reviews.reject(case_id=case.pk, actor=pathologist, reason="Clotted")
        assert CriticalAlert.objects.get().closed_at

    def test_a_step_costs_a_bounded_number_of_queries(
        self,
        counted_case: Counted,
        correct: Correct,
        django_assert_max_num_queries: Callable[[int], object],
    ) -> None:
        case = counted_case("7.0", FEW * 5, in_review=True)
        with django_assert_max_num_queries(34):  # type: ignore[attr-defined]
            correct(case, range(20), "monocyte")


class TestKnownBlasts:
    def _report_blasts(self, patient: Patient, technician: User, add: MakeImage, days: int) -> Case:
        """Sign, so to speak, an earlier case of the patient in which a blast was named."""
        case = open_case(
            actor=technician, patient=patient, order=OrderDetails(), specimen=recent_specimen()
        )
        add(case)
        signer = User.objects.get(full_name="Paul Pathologist")
        review = case.reviews.create(reviewer=signer)
        review.corrections.create(
            cell=case.images.get().cells.get(), cell_type="blast", created_by=signer
        )
        Case.objects.filter(pk=case.pk).update(
            status=CaseStatus.SIGNED_OFF,
            signed_by=signer,
            signed_at=timezone.now() - timedelta(days=days),
        )
        return case

    @pytest.mark.parametrize(("days", "alerts"), [(10, 0), (120, 1)])
    def test_blasts_reported_lately_are_known_and_raise_nothing(
        self,
        classified_case: MakeCase,
        correct: Correct,
        patient: Patient,
        technician: User,
        add_picture: MakeImage,
        days: int,
        alerts: int,
    ) -> None:
        case = classified_case(FEW, in_review=True)
        self._report_blasts(patient, technician, add_picture, days)
        correct(case, [0], "blast")
        assert CriticalAlert.objects.count() == alerts
        (finding,) = assess(case)
        assert finding.is_known == (not alerts)


class TestLimits:
    def test_an_approved_limit_beats_the_example_and_says_so(
        self, counted_case: Counted, pathologist: User
    ) -> None:
        CriticalLimit.objects.create(
            analyte="neutrophil",
            quantity="absolute",
            low=Decimal("1.0"),
            source="Ours",
            version=2,
            effective_from=timezone.localdate() - timedelta(days=3),
            approved_by=pathologist,
            approved_at=timezone.now(),
        )
        case = counted_case("7.0", FEW)  # 0.70
        (finding,) = get_state(case).findings  # type: ignore[union-attr]
        assert (finding.limit_version, finding.is_approved) == (2, True)

    def test_a_proposal_judges_nothing(self, counted_case: Counted, pathologist: User) -> None:
        CriticalLimit.objects.create(
            analyte="neutrophil",
            quantity="absolute",
            low=Decimal("1.0"),
            source="Ours",
            version=2,
            effective_from=timezone.localdate() - timedelta(days=3),
            proposed_by=pathologist,
        )
        assert assess(counted_case("7.0", FEW)) == ()

    def test_platelets_are_judged_by_their_estimate(
        self, counted_case: Counted, add_picture: MakeImage
    ) -> None:
        case = counted_case("7.0", ["neutrophil"])

        found = find_platelets(case, Decimal(12), lambda _limit: True)
        assert found is not None
        assert (found.side, found.words) == (
            "low",
            "Platelets (estimate) 12 × 10⁹/L",  # noqa: RUF001
        )
        assert find_platelets(case, Decimal(30), lambda _limit: True) is None
        assert find_platelets(case, None, lambda _limit: True) is None


def test_the_timer_counts_from_the_finding(counted_case: Counted) -> None:
    case = counted_case("4.0", FEW)
    state = get_state(case)
    assert state is not None
    assert state.timer is not None
    assert state.timer.minutes_left == Laboratory.current().critical_due_minutes
    assert state.timer.words == "call due in 30 min"
