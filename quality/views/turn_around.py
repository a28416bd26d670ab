"""Turn-around by stage: page, figure, and the tables behind them."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from classifier.enums import Priority
from classifier.views.access import MemberRequest, duty_required
from quality.figures import as_svg, draw_lines, drawing
from quality.periods import Period
from quality.selectors.turn_around import TurnAround, turn_around
from quality.tables import Table
from quality.views.answers import answer_table, svg
from reports.spreadsheet import Column

_TIMES = (Column("Median (min)", 14), Column("90th centile (min)", 18), Column("Longest (min)", 14))


@require_safe
@duty_required("view_quality")
def page(request: MemberRequest) -> HttpResponse:
    """Show how long the stages took, and the whole of it week by week."""
    period = Period.read(request.GET.dict())
    found = _found(request, period)
    context = {
        "period": period, "found": found, "priorities": Priority.choices,
        "priority": request.GET.get("priority", ""),
    }  # fmt: skip
    return render(request, "quality/turn_around.html", context)


@require_safe
@duty_required("view_quality")
def figure(request: MemberRequest) -> HttpResponse:
    """Draw median and 90th centile of receipt to signature by week."""
    weeks = _found(request, Period.read(request.GET.dict())).weeks
    with drawing() as (drawn, axes):
        draw_lines(
            axes,
            [f"{week.monday:%d %b}" for week in weeks],
            {
                "Median": [_hours(week.laboratory.median) for week in weeks],
                "90th centile": [_hours(week.laboratory.centile_90) for week in weeks],
            },
        )
        axes.set(ylabel="Hours from receipt to signature", xlabel="Week that begins on")
        return svg(as_svg(drawn), "turn-around")


@require_safe
@duty_required("view_quality")
def export(request: MemberRequest, kind: str) -> HttpResponse:
    """Give both tables as an Excel workbook, or that of the stages as CSV."""
    found = _found(request, Period.read(request.GET.dict()))
    return answer_table(kind, "turn-around", [_stages(found), _weeks(found)])


def _found(request: MemberRequest, period: Period) -> TurnAround:
    return turn_around(request.user, period=period, priority=request.GET.get("priority", ""))


def _stages(found: TurnAround) -> Table:
    rows = [
        (stage.label, stage.count, _minutes(stage.median), _minutes(stage.centile_90),
         _minutes(stage.longest))
        for stage in found.stages
    ]  # fmt: skip
    columns = (Column("Stage", 36), Column("Cases", 8), *_TIMES)
    return Table("stages", "Stages", columns, rows)


def _weeks(found: TurnAround) -> Table:
    rows = [
        (week.monday, week.laboratory.count, _minutes(week.laboratory.median),
         _minutes(week.laboratory.centile_90), _minutes(week.laboratory.longest))
        for week in found.weeks
    ]  # fmt: skip
    columns = (Column("Week that begins on", 18), Column("Cases", 8), *_TIMES)
    return Table("weeks", "Weeks", columns, rows)


def _minutes(time: timedelta | None) -> int | None:
    return None if time is None else round(time.total_seconds() / 60)


def _hours(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds() / 3600
