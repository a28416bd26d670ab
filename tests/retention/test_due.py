"""What is due by the rules, and what is held back and why."""

import uuid
from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.models import (
    Case,
    CriticalAlert,
    Explanation,
    ModelVersion,
    ReferenceStudy,
    Slide,
)
from classifier.services.registering_again import register_again
from classifier.services.transitions import transition
from consultation.services.referrals import Request, refer_case
from quality.models import KnownCell
from quality.services import known_cells
from retention.enums import RecordType
from retention.selectors.due import DueCase, list_due
from tests.clinical import MakeImage
from tests.merging import STRANGER, register
from tests.quality.checking import count, known
from tests.quality.readings import case_of
from tests.reports.conftest import Sign
from tests.retention.steps import day_rule, end, hold, rule
from tests.reviewing import MakeCase, cells_of

__all__ = ["case_of", "count", "known"]

KIND = RecordType.CELL_IMAGES


def on(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def due(days: int, kind: RecordType = KIND) -> list[DueCase]:
    return list_due(kind, on(days))


@pytest.fixture
def ended(case: Case, technician: User, add_picture: MakeImage) -> Case:
    """A rejected case with a picture."""
    add_picture(case)
    return end(case, technician)


@pytest.mark.usefixtures("ended")
def test_nothing_is_due_without_a_rule() -> None:
    assert due(100_000) == []


def test_a_case_is_due_once_its_time_is_over(
    ended: Case, administrator: User, keeper: User
) -> None:
    by = day_rule(administrator, keeper, keep_for=30)
    assert due(29) == []
    (found,) = due(30)
    assert (found.case, found.rule, found.counted_from) == (ended, by, timezone.localdate())
    assert (found.count, found.why_kept) == (1, "")
    assert due(30, RecordType.FIELD_IMAGES) == []


def test_the_latest_of_several_ends_counts(ended: Case, administrator: User, keeper: User) -> None:
    day_rule(administrator, keeper, keep_for=30)
    longer = day_rule(administrator, keeper, counts_from="received", keep_for=60)
    assert due(59) == []
    (found,) = due(61)
    assert (found.case, found.rule) == (ended, longer)


def test_receipt_alone_rules_what_ended_too(ended: Case, administrator: User, keeper: User) -> None:
    day_rule(administrator, keeper, counts_from="received", keep_for=5)
    assert [each.case for each in due(6)] == [ended]


def test_a_case_at_work_is_never_due(
    case: Case, add_picture: MakeImage, administrator: User, keeper: User
) -> None:
    add_picture(case)
    day_rule(administrator, keeper)
    day_rule(administrator, keeper, counts_from="received")
    assert due(1000) == []


def test_signed_cases_count_from_their_last_version(
    ready_case: Case, sign: Sign, pathologist: User, administrator: User, keeper: User
) -> None:
    rule(administrator, keeper, record_type="cell_images", keep_for=10, unit="days")
    sign(ready_case)
    (found,) = due(10)
    assert (found.case, found.why_kept) == (ready_case, "")
    transition(case_id=ready_case.pk, name="amend", actor=pathologist, reason="A cell was wrong.")
    assert due(10)[0].why_kept == "The case isn't final: being amended."


@pytest.mark.parametrize("held", ["case", "patient"])
def test_a_legal_hold_holds_back(ended: Case, administrator: User, keeper: User, held: str) -> None:
    day_rule(administrator, keeper)
    hold(administrator, ended if held == "case" else ended.patient)
    assert due(2)[0].why_kept == "A legal hold is on the record."


def test_an_open_opinion_a_call_or_an_explanation_holds_back(
    classified_case: MakeCase, administrator: User, keeper: User, pathologist: User,
    consultant: User, active_model: ModelVersion,
) -> None:  # fmt: skip
    case = classified_case(["neutrophil"], in_review=True)
    day_rule(administrator, keeper)
    wanted = Request(consultant.pk, "Are these blasts?")
    refer_case(case_id=case.pk, actor=pathologist, referral_id=uuid.uuid4(), wanted=wanted)
    transition(case_id=case.pk, name="reject", actor=pathologist, reason="Clotted.")
    assert "second opinion" in due(2)[0].why_kept
    past = timezone.now() - timedelta(days=2)
    case.referrals.update(created_at=past, expires_at=past + timedelta(days=1))
    alert = CriticalAlert.objects.create(
        case=case, raised_at=timezone.now(), waiting_since=timezone.now()
    )
    assert "critical result" in due(2)[0].why_kept
    CriticalAlert.objects.filter(pk=alert.pk).update(waiting_since=None)
    Explanation.objects.create(
        cell=cells_of(case)[0], x0=0, y0=0, x1=64, y1=64, model_version=active_model,
        method="gradcam", cell_type="neutrophil", requested_by=pathologist,
    )  # fmt: skip
    assert "explanation" in due(2)[0].why_kept


def test_cells_on_which_readers_are_checked_hold_back(
    known: ReferenceStudy, technician: User, administrator: User, keeper: User
) -> None:
    end(known.case, technician)
    day_rule(administrator, keeper)
    assert due(2)[0].why_kept == "Readers are checked on a cell of it."
    for each in KnownCell.objects.all():
        known_cells.retire_cell(actor=administrator, known_id=each.pk, reason="The slide is old.")
    assert due(2)[0].why_kept == ""


def test_pictures_that_another_case_shares_wait_for_it(
    ended: Case, technician: User, administrator: User, keeper: User
) -> None:
    day_rule(administrator, keeper)
    right = register(technician, STRANGER)
    again = register_again(
        case_id=ended.pk, actor=technician, right_id=right.pk, reason="Another's blood."
    )
    assert "Shared with a case registered again" in due(2)[0].why_kept
    end(again, technician)
    assert {each.case for each in due(2) if not each.why_kept} == {ended, again}
    hold(administrator, right)
    assert all("legal hold" in each.why_kept for each in due(2))


def test_slides_are_due_by_their_own_rule(
    slide: Slide, technician: User, administrator: User, keeper: User
) -> None:
    end(slide.case, technician)
    day_rule(administrator, keeper)
    assert due(2, RecordType.SLIDES) == []
    day_rule(administrator, keeper, record_type="slides")
    (found,) = due(2, RecordType.SLIDES)
    assert (found.case, found.count) == (slide.case, 1)
