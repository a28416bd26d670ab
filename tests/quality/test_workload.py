"""Who did how much, what comes and goes, what waits."""

import io
from collections.abc import Callable
from datetime import timedelta

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case
from quality.periods import Period
from quality.selectors.workload import Work, backlog, days_of, work_of_people
from tests.reports.history import MakeReport, OpenCase

PAGE = "/quality/workload/"


@pytest.fixture
def today() -> Period:
    """Yesterday and today: a test may run over midnight."""
    day = timezone.localdate()
    return Period(day - timedelta(days=1), day + timedelta(days=1))


def test_people_are_counted_by_what_they_did(
    open_counted: OpenCase,
    report_of: MakeReport,
    technician: User,
    today: Period,
) -> None:
    report_of(open_counted(["neutrophil", "monocyte"]))
    people = {one.name: one for one in work_of_people(today)}
    assert people[technician.full_name] == Work(technician.full_name, 1, 1, 2, 0, 0)
    assert work_of_people(Period(today.first - timedelta(9), today.first - timedelta(8))) == []


def test_what_waits_is_told_by_status_and_age(open_counted: OpenCase, pathologist: User) -> None:
    now = timezone.now()
    for hours in (1, 5, 30, 100):
        case = open_counted([])
        Case.objects.filter(pk=case.pk).update(registered_at=now - timedelta(hours=hours))
    (waiting,) = backlog(pathologist)
    assert waiting.status == CaseStatus.IN_REVIEW
    assert waiting.by_age == (1, 1, 1, 1)
    assert waiting.count == 4
    assert timedelta(hours=100) <= waiting.oldest < timedelta(hours=101)


def test_days_tell_what_came_and_what_went(
    open_counted: OpenCase, report_of: MakeReport, pathologist: User, today: Period
) -> None:
    open_counted([])
    report_of(open_counted(["neutrophil"]))
    days = days_of(pathologist, today)
    assert len(days) == 3
    assert sum(day.registered for day in days) == 2
    assert sum(day.signed for day in days) == 1


def test_page_figure_and_tables(
    open_counted: OpenCase, administrator: User, client_for: Callable[[User], Client]
) -> None:
    open_counted(["neutrophil"])
    client = client_for(administrator)
    page = client.get(PAGE)
    assert [one.count for one in page.context["backlog"]] == [1]
    assert client.get(f"{PAGE}figure.svg").content.startswith(b"<?xml")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{PAGE}tables/xlsx").content))
    assert book.sheetnames == ["Backlog", "People", "Days"]
    assert client.get(f"{PAGE}tables/people.csv").status_code == 200


def test_nothing_that_waits_is_said_so(
    administrator: User, client_for: Callable[[User], Client]
) -> None:
    page = client_for(administrator).get(PAGE).content.decode()
    assert "Nothing waits" in page
    assert "Nobody worked in this period" in page


def test_a_name_cannot_be_run_by_a_spreadsheet(
    open_counted: OpenCase,
    technician: User,
    administrator: User,
    client_for: Callable[[User], Client],
) -> None:
    open_counted([])
    User.objects.filter(pk=technician.pk).update(full_name="=HYPERLINK(1)")
    text = client_for(administrator).get(f"{PAGE}tables/people.csv").content.decode()
    assert "\n'=HYPERLINK(1)," in text.replace("\r", "")
