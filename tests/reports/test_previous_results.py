"""A patient's earlier results beside the open case, and over time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classifier.models import Case, Patient
from classifier.querysets import CaseQuerySet
from classifier.selectors.differential import get_differential
from classifier.services import reviews
from reports.history import history_of_case, history_of_results
from reports.previous import MOST_RESULTS, list_previous, list_results
from reports.trends import HEIGHT, WIDTH, Point, draw
from tests.reports.history import MakeReport, OpenCase

ClientFor = Callable[[User], Client]

SIX = ["neutrophil"] * 4 + ["lymphocyte"] * 2


def test_lists_the_reports_of_blood_taken_before_the_newest_first(
    open_counted: OpenCase, report_of: MakeReport
) -> None:
    old, newer = (open_counted(SIX, hours_ago=hours) for hours in (90, 40))
    for case in (newer, old):  # signed in the other order
        report_of(case)
    later = open_counted(SIX, hours_ago=1)
    report_of(later)
    unsigned = open_counted(SIX, hours_ago=60)
    now = open_counted(SIX, hours_ago=3)
    assert [item.case_id for item in list_previous(now)] == [newer.pk, old.pk]
    assert unsigned.pk not in {item.case_id for item in list_previous(now)}


def test_takes_the_version_that_none_supersedes(
    open_counted: OpenCase,
    report_of: MakeReport,
    pathologist: User,
    correct: Callable[..., object],
) -> None:
    case = open_counted(SIX, hours_ago=50)
    first = report_of(case)
    reviews.amend(case_id=case.pk, actor=pathologist, reason="Misread.")
    correct(case, [0, 1], "monocyte")
    second = report_of(Case.objects.get(pk=case.pk), version=2, supersedes=first)
    (found,) = list_previous(open_counted(SIX))
    assert (found.report_id, found.version) == (second.pk, 2)
    monocytes = next(r for r in found.says.differential if r.cell_type.code == "monocyte")
    assert monocytes.count == 2


def test_shows_only_what_the_reader_may_see(
    open_counted: OpenCase,
    report_of: MakeReport,
    pathologist: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report_of(open_counted(SIX, hours_ago=50))
    now = open_counted(SIX)
    assert len(list_previous(now, user=pathologist)) == 1
    monkeypatch.setattr(CaseQuerySet, "visible_to", lambda self, user: self.none())
    assert list_previous(now, user=pathologist) == []
    assert list_results(now.patient, user=pathologist) == []


def test_lists_a_dozen_at_most(open_counted: OpenCase, report_of: MakeReport) -> None:
    for hours in range(20, 20 + MOST_RESULTS + 2):
        report_of(open_counted(["neutrophil"], hours_ago=hours))
    found = list_previous(open_counted(["neutrophil"]))
    assert len(found) == MOST_RESULTS
    assert found[0].collected_at > found[-1].collected_at


def test_the_table_holds_every_class_that_was_seen_in_any(
    open_counted: OpenCase, report_of: MakeReport, pathologist: User
) -> None:
    report_of(open_counted([*SIX, "immature_granulocyte"], hours_ago=50, wbc="7.20"))
    case = open_counted(SIX)
    history = history_of_case(case, get_differential(case), list_previous(case, user=pathologist))
    lines = {line.analyte: line for line in history.lines}
    assert list(lines)[:2] == ["wbc", "neutrophil"]
    assert lines["wbc"].cells[0] is None
    now, before = lines["immature_granulocyte"].cells
    assert now is not None
    assert before is not None
    assert (now.value, before.value) == (Decimal("0.0"), Decimal("14.3"))
    assert now.high == Decimal("45.9")  # none of six
    assert lines["neutrophil"].trend is not None
    assert lines["wbc"].trend is None
    assert "blast" not in lines
    assert [column.report_id is None for column in history.columns] == [True, False]


def test_the_review_page_shows_them_with_a_link(
    open_counted: OpenCase, report_of: MakeReport, pathologist: User, client_for: ClientFor
) -> None:
    client = client_for(pathologist)
    case = open_counted(SIX)
    url = reverse("classifier:review", args=[case.pk])
    assert "No earlier signed report" in client.get(url).content.decode()
    report = report_of(open_counted(SIX, hours_ago=50))
    page = client.get(url).content.decode()
    assert reverse("reports:report_detail", args=[report.pk]) in page
    assert '<svg class="trend"' in page
    assert "All 2 results with intervals" in page
    assert 'style="' not in page
    fragment = client.get(reverse("classifier:review_summary", args=[case.pk])).content.decode()
    assert reverse("reports:report_detail", args=[report.pk]) in fragment
    assert fragment.count('hx-swap-oob="true"') == 1
    assert "hx-swap-oob" not in page


def test_the_patient_page_shows_the_signed_results(
    open_counted: OpenCase,
    report_of: MakeReport,
    patient: Patient,
    pathologist: User,
    client_for: ClientFor,
) -> None:
    client = client_for(pathologist)
    assert "Results over time" not in client.get(patient.get_absolute_url()).content.decode()
    report_of(open_counted(SIX, hours_ago=50))
    page = client.get(patient.get_absolute_url()).content.decode()
    assert "Results over time" in page
    assert "1 signed" in page


def test_the_number_of_queries_does_not_grow_with_the_results(
    open_counted: OpenCase,
    report_of: MakeReport,
    pathologist: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for hours in (30, 40, 50, 60):
        report_of(open_counted(["neutrophil"], hours_ago=hours))
    case = open_counted(["neutrophil"])
    client = client_for(pathologist)
    with django_assert_max_num_queries(32):
        client.get(reverse("classifier:review_summary", args=[case.pk]))


def point(hours: float, value: int, low: int | None = None, high: int | None = None) -> Point:
    ends = (None if low is None else Decimal(low), None if high is None else Decimal(high))
    return Point(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours), Decimal(value), *ends)


def test_a_trend_is_drawn_to_scale() -> None:
    trend = draw([point(0, 10, 5, 15), point(10, 20, 15, 25), point(40, 0, 0, 5)], None)
    assert trend is not None
    (x0, y0), (x1, y1), (x2, y2) = trend.points
    assert (x1 - x0) * 3 == pytest.approx(x2 - x1, abs=0.5)
    assert y2 - y0 == pytest.approx(y0 - y1, abs=0.2)
    assert 0 <= min(y0, y1, y2) <= max(y0, y1, y2) <= HEIGHT
    assert 0 <= x0 < x2 <= WIDTH
    assert len(trend.band.split()) == 6


def test_a_trend_shows_the_reference_and_leaves_out_a_band_it_does_not_know() -> None:
    trend = draw([point(0, 4), point(5, 9)], (Decimal(4), Decimal(11)))
    assert trend is not None
    assert trend.band == ""
    assert trend.reference_y is not None
    assert trend.reference_height is not None
    low = trend.reference_y + trend.reference_height
    assert low == pytest.approx(trend.points[0][1], abs=0.2)


def test_one_result_is_no_trend_and_results_of_one_moment_stand_apart() -> None:
    assert draw([point(0, 4)], None) is None
    trend = draw([point(0, 0), point(0, 0)], None)
    assert trend is not None
    assert trend.points[0][0] < trend.points[1][0]


def test_results_without_an_open_case_have_no_flags(
    open_counted: OpenCase, report_of: MakeReport, patient: Patient, pathologist: User
) -> None:
    report_of(open_counted(["neutrophil"] * 9, hours_ago=9))
    report_of(open_counted(["lymphocyte"] * 9, hours_ago=5))
    history = history_of_results(list_results(patient, user=pathologist))
    assert history.flagged == ()
    assert len(history.columns) == 2
