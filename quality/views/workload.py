"""Workload and backlog: who did how much, what comes and goes, what waits."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from classifier.views.access import MemberRequest, duty_required
from quality.figures import as_svg, draw_lines, drawing
from quality.periods import Period
from quality.selectors.workload import Backlog, Day, Work, backlog, days_of, work_of_people
from quality.tables import Table
from quality.views.answers import answer_table, svg
from reports.spreadsheet import Cell, Column


@require_safe
@duty_required("view_quality")
def page(request: MemberRequest) -> HttpResponse:
    """Show the backlog now, the work of people, and what came and went by day."""
    period = Period.read(request.GET.dict())
    context = {
        "period": period,
        "backlog": backlog(request.user),
        "people": work_of_people(period),
        "days": days_of(request.user, period),
    }
    return render(request, "quality/workload.html", context)


@require_safe
@duty_required("view_quality")
def figure(request: MemberRequest) -> HttpResponse:
    """Draw the cases that were registered and signed on each day."""
    days = days_of(request.user, Period.read(request.GET.dict()))
    with drawing() as (drawn, axes):
        draw_lines(
            axes,
            [f"{one.day:%d %b}" for one in days],
            {
                "Registered": [one.registered for one in days],
                "Signed": [one.signed for one in days],
            },
        )
        axes.set(ylabel="Cases a day")
        return svg(as_svg(drawn), "workload")


@require_safe
@duty_required("view_quality")
def export(request: MemberRequest, kind: str) -> HttpResponse:
    """Give the three tables as an Excel workbook, or one of them as CSV."""
    period = Period.read(request.GET.dict())
    tables = [
        _backlog(backlog(request.user)),
        _people(work_of_people(period)),
        _days(days_of(request.user, period)),
    ]
    return answer_table(kind, "workload", tables)


def _backlog(waiting: list[Backlog]) -> Table:
    ages = ("Under 4 h", "4 to 24 h", "1 to 3 days", "Over 3 days")
    columns = [Column("Status", 22), *(Column(age) for age in ages), Column("Oldest (h)")]
    rows: list[tuple[Cell, ...]] = [
        (str(one.status.label), *one.by_age, round(one.oldest.total_seconds() / 3600))
        for one in waiting
    ]
    return Table("backlog", "Backlog", columns, rows)


def _people(people: list[Work]) -> Table:
    columns = [
        Column("Name", 28), Column("Registered"), Column("Submitted"), Column("Images"),
        Column("Cells named"), Column("Signed"),
    ]  # fmt: skip
    rows = [
        (one.name, one.registered, one.submitted, one.images, one.cells_named, one.signed)
        for one in people
    ]
    return Table("people", "People", columns, rows)


def _days(days: list[Day]) -> Table:
    rows = [(one.day, one.registered, one.signed) for one in days]
    return Table("days", "Days", [Column("Day"), Column("Registered"), Column("Signed")], rows)
