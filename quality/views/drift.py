"""The drift board: page, figures, tables, and setting the baseline."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from classifier.agreement import Estimate
from classifier.models import ModelVersion
from classifier.views.access import MemberRequest, duty_required
from quality.exceptions import BaselineRefused
from quality.figures import as_svg, draw_lines, drawing
from quality.forms import BaselineForm
from quality.models import DriftAlert
from quality.periods import Period
from quality.selectors.drift import GROUPS, SIGNALS, Board, Rates, Week, board
from quality.services.drift import set_baseline
from quality.tables import Table
from quality.views.answers import answer_table, svg
from reports.spreadsheet import Cell, Column

SHARES: dict[str, Callable[[Rates], Estimate | None]] = {
    "Referred": lambda rates: rates.share_referred,
    "Overruled": lambda rates: rates.share_overruled,
    "Outside its set": lambda rates: _rest(rates.coverage),
}


@require_safe
@duty_required("view_quality")
def page(request: MemberRequest) -> HttpResponse:
    """Show the model in use week by week, and by class, person or source."""
    period, group = Period.read(request.GET.dict()), _group(request)
    model = _model()
    found = board(model, period=period, group=group) if model else None
    context = {
        "period": period, "board": found, "group": group, "signals": SIGNALS,
        "groups": [(name, title) for name, (title, _) in GROUPS.items()],
        "group_title": GROUPS[group][0],
        "alerts": DriftAlert.objects.filter(model_version=model)[:12],
    }  # fmt: skip
    return render(request, "quality/drift.html", context)


@require_safe
@duty_required("view_quality")
def figure(request: MemberRequest, name: str) -> HttpResponse:
    """Draw the shifts of all figures over their limits, or the rates, by week."""
    found = _board(request)
    series = _shift_series(found.weeks) if name == "shifts" else _rate_series(found.weeks)
    with drawing() as (drawn, axes):
        draw_lines(axes, [f"{week.monday:%d %b}" for week in found.weeks], series)
        if name == "shifts":
            axes.axhline(1, color="#a3212b", linewidth=1, linestyle=":")
            axes.set(ylabel="Shift over its limit", ylim=(0, max(1.2, axes.get_ylim()[1])))
        else:
            axes.set(ylabel="Percent of cells")
        axes.set(xlabel="Week that begins on")
        return svg(as_svg(drawn), f"drift-{name}")


@require_safe
@duty_required("view_quality")
def export(request: MemberRequest, kind: str) -> HttpResponse:
    """Give weeks and groups as an Excel workbook, or one of them as CSV."""
    found = _board(request)
    rows = [
        _row(week.monday, week.rates) + tuple(
            None if shift is None else f"{shift.value:.4f} of {shift.limit:.4f}"
            for name in SIGNALS for shift in [week.shifts[name]]
        )
        for week in found.weeks
    ]  # fmt: skip
    titles = [Column(title, 20) for title, _ in SIGNALS.values()]
    by_week = Table("weeks", "Weeks", [*_columns("Week that begins on"), *titles], rows)
    by_group = Table(
        "groups", GROUPS[_group(request)][0], _columns(GROUPS[_group(request)][0]),
        [_row(name, rates) for name, rates in found.groups],
    )  # fmt: skip
    return answer_table(kind, "drift", [by_week, by_group])


@require_http_methods(["GET", "POST"])
@duty_required("manage_models")
def baseline(request: MemberRequest) -> HttpResponse:
    """Ask for other days to compare with, and set them."""
    model = _model()
    if model is None:
        raise Http404
    form = BaselineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            set_baseline(actor=request.user, model=model, **form.cleaned_data)
        except BaselineRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Later weeks are now compared with these days.")
            return redirect("quality:drift")
    context = {"form": form, "model": model}
    return render(request, "quality/baseline.html", context, status=422 if form.errors else 200)


def _model() -> ModelVersion | None:
    return ModelVersion.objects.filter(is_active=True).first()


def _group(request: MemberRequest) -> str:
    asked = request.GET.get("group", "")
    return asked if asked in GROUPS else "class"


def _board(request: MemberRequest) -> Board:
    model = _model()
    period = Period.read(request.GET.dict())
    found = board(model, period=period, group=_group(request)) if model else None
    if found is None:
        raise Http404
    return found


def _shift_series(weeks: list[Week]) -> dict[str, list[float | None]]:
    return {
        title: [shift.value / shift.limit if (shift := week.shifts[name]) else None
                for week in weeks]
        for name, (title, _) in SIGNALS.items()
    }  # fmt: skip


def _rate_series(weeks: list[Week]) -> dict[str, list[float | None]]:
    return {
        title: [None if (found := share(week.rates)) is None else 100 * found.value
                for week in weeks]
        for title, share in SHARES.items()
    }  # fmt: skip


def _columns(first: str) -> list[Column]:
    names = (
        "Cells", "Referred", "Named by a person where the model was sure", "Overruled",
        "Named by a person", "Truth in the model's set",
    )  # fmt: skip
    return [Column(first, 20), *(Column(name, 14) for name in names)]


def _row(key: Cell, rates: Rates) -> tuple[Cell, ...]:
    return (
        key, rates.count, rates.referred, rates.sure, rates.overruled, rates.named, rates.covered,
    )  # fmt: skip


def _rest(estimate: Estimate | None) -> Estimate | None:
    if estimate is None:
        return None
    return Estimate(1 - estimate.value, 1 - estimate.high, 1 - estimate.low, estimate.n)
