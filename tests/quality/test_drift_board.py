"""A week in which the stain changes stands out on the drift board, and is told."""

import io
from collections.abc import Callable
from datetime import date, timedelta

import openpyxl
import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEvent, User
from classifier.models import Case, ModelVersion, Prediction
from classifier.services import corrections, reviews
from classifier.services.registering_again import register_again
from classifier.services.transitions import transition
from notifications.models import Notice
from quality.exceptions import BaselineRefused
from quality.models import CellAppearance, DriftAlert
from quality.periods import Period
from quality.selectors.drift import SIGNALS, board
from quality.services.appearance import CELLS_A_CASE, measure_next
from quality.services.drift import set_baseline, watch_drift
from tests.merging import STRANGER, register
from tests.quality.weeks import (
    FIRST_MONDAY,
    ReadWeek,
    cells,
    read_week,
    restained,
)
from tests.reviewing import cells_of

__all__ = ["read_week"]
ClientFor = Callable[[User], Client]
MONDAY = FIRST_MONDAY.date()
CASES_A_WEEK = 3
pytestmark = pytest.mark.django_db


def weeks(first: int, last: int) -> Period:
    return Period(MONDAY + timedelta(weeks=first), MONDAY + timedelta(weeks=last, days=6))


@pytest.fixture
def three_weeks(read_week: ReadWeek) -> ModelVersion:
    """The model after a week of baseline, a week like it, and one of another stain."""
    for week in range(3):
        for number in range(CASES_A_WEEK):
            pictures = cells(CELLS_A_CASE, CASES_A_WEEK * week + number)
            read_week(week, [restained(one) for one in pictures] if week == 2 else pictures)
    return ModelVersion.objects.get(is_active=True)


def test_the_week_of_another_stain_stands_out_and_is_told(
    three_weeks: ModelVersion, administrator: User, pathologist: User
) -> None:
    set_baseline(
        actor=administrator, model=three_weeks, first=MONDAY, last=MONDAY + timedelta(days=6),
        reason="First week.",
    )  # fmt: skip
    found = board(three_weeks, period=weeks(1, 2), group="class")
    assert found is not None
    same, other = found.weeks
    assert [name for name, shift in same.shifts.items() if shift and shift.is_shift] == []
    assert all(same.shifts[name] is not None for name in SIGNALS)
    shifted = {name for name, shift in other.shifts.items() if shift and shift.is_shift}
    assert {"density", "hue"} <= shifted
    assert other.rates.count == CASES_A_WEEK * CELLS_A_CASE
    with time_machine.travel(FIRST_MONDAY + timedelta(weeks=2, days=3)):
        watch_drift()
        watch_drift()
    alerts = DriftAlert.objects.all()
    assert {alert.signal for alert in alerts} == shifted
    assert {alert.monday for alert in alerts} == {MONDAY + timedelta(weeks=2)}
    assert AuditEvent.objects.filter(action="drift.noticed").count() == len(shifted)
    told = Notice.objects.filter(kind="quality.drift").values_list("recipient", flat=True)
    assert set(told) == {administrator.pk}


@pytest.fixture
def one_week(read_week: ReadWeek) -> Case:
    """A case of 30 cells, read in the first week."""
    return read_week(0, cells(30, seed=1))


def test_a_case_is_measured_once_on_a_sample_of_its_cells(one_week: Case) -> None:
    assert 0 < CellAppearance.objects.count() <= CELLS_A_CASE
    before = CellAppearance.objects.count()
    with time_machine.travel(FIRST_MONDAY):
        assert measure_next() == 0
    assert CellAppearance.objects.count() == before


def test_what_people_say_is_counted_by_class(one_week: Case, pathologist: User) -> None:
    reviews.open_review(case_id=one_week.pk, actor=pathologist)
    model = ModelVersion.objects.get(is_active=True)
    before = board(model, period=weeks(0, 0), group="class")
    assert before is not None
    assert before.weeks[0].rates.named == 0
    sure = [cell for cell in cells_of(one_week) if not cell.predictions.get().is_referred]
    right, wrong = sure[0], sure[1]
    for cell, name in ((right, right.predictions.get().cell_type), (wrong, "blast")):
        corrections.correct_cells(
            case_id=one_week.pk, actor=pathologist, cell_ids=[cell.pk], cell_type=name,
            action_id=cell.pk,
        )  # fmt: skip
    found = board(model, period=weeks(0, 0), group="class")
    assert found is not None
    rates = found.weeks[0].rates
    assert (rates.count, rates.sure, rates.overruled) == (30, 2, 1)
    assert (rates.named, rates.covered) == (2, 1)
    assert sum(one.count for _, one in found.groups) == 30
    assert sum(one.overruled for _, one in found.groups) == 1
    by_user = board(model, period=weeks(0, 0), group="user")
    assert by_user is not None
    assert [name for name, _ in by_user.groups] == ["Tess Technician"]


def test_a_case_that_was_registered_again_is_counted_once(
    one_week: Case, technician: User, pathologist: User
) -> None:
    model = ModelVersion.objects.get(is_active=True)
    before = board(model, period=weeks(0, 0), group="class")
    transition(case_id=one_week.pk, name="reject", actor=technician, reason="Another's blood.")
    register_again(
        case_id=one_week.pk, actor=technician, reason="Another's blood.",
        right_id=register(technician, STRANGER).pk,
    )  # fmt: skip
    assert Prediction.objects.count() == 60
    assert board(model, period=weeks(0, 0), group="class") == before


def test_page_figures_and_tables(
    one_week: Case, administrator: User, client_for: ClientFor
) -> None:
    client = client_for(administrator)
    asked = {"first": str(MONDAY), "last": str(MONDAY + timedelta(days=6)), "group": "source"}
    page = client.get("/quality/drift/", asked)
    assert page.context["board"].weeks[0].rates.count == 30
    for name in ("shifts", "rates"):
        assert client.get(f"/quality/drift/{name}.svg", asked).content.startswith(b"<?xml")
    book = openpyxl.load_workbook(
        io.BytesIO(client.get("/quality/drift/tables/xlsx", asked).content)
    )
    assert book.sheetnames == ["Weeks", "Source"]
    assert [cell.value for cell in book["Weeks"][2]][1] == 30


def test_a_model_that_read_nothing_has_an_empty_board(
    administrator: User, client_for: ClientFor
) -> None:
    client = client_for(administrator)
    assert "has read nothing yet" in client.get("/quality/drift/").content.decode()
    assert client.get("/quality/drift/rates.svg").status_code == 404
    assert client.get("/quality/drift/baseline/").status_code == 404


def test_an_administrator_sets_the_baseline_with_a_reason(
    one_week: Case, administrator: User, pathologist: User, client_for: ClientFor
) -> None:
    address = "/quality/drift/baseline/"
    days = {"first": "2026-03-02", "last": "2026-03-08", "reason": "After validation."}
    assert client_for(pathologist).post(address, days).status_code == 403
    client = client_for(administrator)
    assert client.post(address, days | {"first": "2026-04-01"}).status_code == 422
    assert client.post(address, days).status_code == 302
    event = AuditEvent.objects.get(action="drift.baseline_set")
    assert event.reason == "After validation."
    found = client.get("/quality/drift/").context["board"]
    assert (found.baseline.first, found.is_set) == (date(2026, 3, 2), True)


def test_days_that_lie_ahead_are_no_baseline(one_week: Case, administrator: User) -> None:
    model = ModelVersion.objects.get(is_active=True)
    with pytest.raises(BaselineRefused, match="end by today"):
        set_baseline(
            actor=administrator, model=model, first=date(2026, 3, 2), last=date(2999, 1, 1),
            reason="Some.",
        )  # fmt: skip
