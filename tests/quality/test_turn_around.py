"""How long the stages of a case took, and who may see it."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from quality.periods import Period
from quality.selectors.turn_around import turn_around
from quality.templatetags.boards import duration
from quality.turn_around import STAGES, Moments, spread_of
from reports.models import Report
from tests.reports.contents import make_signature
from tests.reports.history import MakeReport, OpenCase

ClientFor = Callable[[User], Client]
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
PAGE = "/quality/turn-around/"


def moments(*minutes: int | None) -> Moments:
    """Return the moments of a case, each so many minutes after midnight."""
    return Moments(*(None if one is None else MIDNIGHT + timedelta(minutes=one) for one in minutes))


def test_median_and_centile_are_interpolated_between_cases() -> None:
    cases = [moments(0, 0, 0, 0, 0, 0, minutes) for minutes in (10, 20, 30, 40)]
    spread = spread_of("review", cases)
    assert (spread.median, spread.centile_90) == (timedelta(minutes=25), timedelta(minutes=37))
    assert (spread.count, spread.longest) == (4, timedelta(minutes=40))


def test_a_stage_that_a_case_never_had_does_not_count() -> None:
    spread = spread_of("reading", [moments(0, 1, 2, 3, None, 5, 6), moments(0, 1, 2, 3, 9, 10, 11)])
    assert (spread.count, spread.median) == (1, timedelta(minutes=6))
    assert spread_of("reading", []).median is None


def test_no_stage_takes_less_than_no_time() -> None:
    """A case that was read again after its review was opened."""
    assert spread_of("waiting", [moments(0, 0, 0, 0, 9, 5, 20)]).median == timedelta()


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({"first": "2026-03-01", "last": "2026-03-31"}, date(2026, 3, 1), date(2026, 3, 31)),
        ({"first": "2026-03-31", "last": "2026-03-01"}, date(2026, 3, 1), date(2026, 3, 31)),
        ({"last": "2026-03-28"}, date(2026, 3, 1), date(2026, 3, 28)),
        ({"first": "2020-01-01", "last": "2026-03-31"}, date(2025, 3, 31), date(2026, 3, 31)),
        ({"first": "no day", "last": "2026-02-31"}, None, None),
    ],
)
def test_a_period_is_read_or_is_four_weeks(
    asked: dict[str, str], first: date | None, last: date | None
) -> None:
    today = timezone.localdate()
    expected = (first or today - timedelta(days=27), last or today)
    period = Period.read(asked)
    assert (period.first, period.last) == expected


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "under 1 min"), (25, "25 min"), (194, "3 h 14 min"), (3120, "2 d 4 h")],
)
def test_durations_are_said_in_their_two_largest_units(minutes: int, words: str) -> None:
    assert duration(timedelta(minutes=minutes)) == words
    assert duration(None) == "–"  # noqa: RUF001


@pytest.fixture
def report(open_counted: OpenCase, report_of: MakeReport) -> Report:
    """A case that was collected five hours before it was signed."""
    since = timezone.now() - make_signature().signed_at
    hours_ago = since.total_seconds() / 3600 + 5
    return report_of(open_counted(["neutrophil"], hours_ago=hours_ago))


def test_a_signed_case_is_measured_from_its_own_rows(report: Report, pathologist: User) -> None:
    period = Period(timezone.localdate(report.issued_at), timezone.localdate(report.issued_at))
    found = turn_around(pathologist, period=period)
    assert found.count == 1
    assert [stage.count for stage in found.stages] == [1] * len(STAGES)
    specimen = report.case.specimen
    assert found.stages[0].median == specimen.received_at - specimen.collected_at
    whole = found.stages[-1].longest
    assert whole == timedelta(hours=4)
    assert [week.laboratory.count for week in found.weeks] == [1]
    assert turn_around(pathologist, period=period, priority="stat").count == 0


def test_an_open_case_does_not_count(open_counted: OpenCase, pathologist: User) -> None:
    open_counted(["neutrophil"])
    assert turn_around(pathologist, period=Period.read({})).count == 0


def test_page_figure_and_tables_say_the_same(
    report: Report, administrator: User, client_for: ClientFor
) -> None:
    day = timezone.localdate(report.issued_at)
    asked = {"first": str(day), "last": str(day)}
    client = client_for(administrator)
    page = client.get(PAGE, asked)
    assert page.context["found"].count == 1
    assert client.get(f"{PAGE}figure.svg", asked).content.startswith(b"<?xml")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{PAGE}tables/xlsx", asked).content))
    assert book.sheetnames == ["Stages", "Weeks"]
    rows = list(book["Stages"].iter_rows(values_only=True))
    assert [row[:2] for row in rows[1:]] == [(label, 1) for label, _, _ in STAGES.values()]
    text = client.get(f"{PAGE}tables/stages.csv", asked).content.decode("utf-8-sig")
    assert text.splitlines()[1].startswith("Collected to received,1,60,60,60")
    assert client.get(f"{PAGE}tables/none.csv", asked).status_code == 404


def test_a_period_without_a_report_says_so(pathologist: User, client_for: ClientFor) -> None:
    page = client_for(pathologist).get(PAGE, {"first": "2020-01-01", "last": "2020-01-02"})
    assert "No report was signed in this period" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("person", ["technician", "consultant", "learner"])
@pytest.mark.parametrize("board", ["turn-around", "workload"])
def test_boards_are_for_pathologists_and_administrators(
    person: str, board: str, request: pytest.FixtureRequest, client_for: ClientFor
) -> None:
    client = client_for(request.getfixturevalue(person))
    for address in ("", "figure.svg", "tables/xlsx"):
        assert client.get(f"/quality/{board}/{address}").status_code == 403
