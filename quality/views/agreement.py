"""The agreement board: page, figures, and the tables behind them."""

from datetime import timedelta
from decimal import Decimal

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from classifier.enums import CellType
from classifier.views.access import MemberRequest, duty_required
from quality.agreement import LEAST_CASES, LEAST_CELLS, Figure
from quality.charts import draw_intervals
from quality.enums import Basis
from quality.figures import as_svg, drawing
from quality.periods import Period
from quality.selectors.agreement import Board, Pair, board
from quality.tables import Table
from quality.views.answers import answer_table, svg
from reports.spreadsheet import Cell, Column

SHOWN_FIRST = timedelta(days=91)
MOST_DRAWN = 20
"""Pairs, those with the most cells, that a figure has room for."""
_LIMITS = ("lower limit", "upper limit")


@require_safe
@duty_required("view_quality")
def page(request: MemberRequest) -> HttpResponse:
    """Show how far readers agree on the cells of one basis."""
    period = _period(request)
    context = {
        "period": period, "board": _board(request, period), "bases": Basis.choices,
        "least_cells": LEAST_CELLS, "least_cases": LEAST_CASES,
    }  # fmt: skip
    return render(request, "quality/agreement.html", context)


@require_safe
@duty_required("view_quality")
def figure(request: MemberRequest, name: str) -> HttpResponse:
    """Draw kappa of each pair, or the chosen pair's agreement class by class."""
    found = _board(request, _period(request))
    if found.chosen is None or name not in ("pairs", "classes"):
        raise Http404
    if name == "pairs":
        shown = found.pairs[:MOST_DRAWN]
        names = [f"{pair.first}\nand {pair.second}" for pair in shown]
        figures, title = [pair.kappa for pair in shown], "Cohen's kappa"
    else:
        rows = found.chosen.by_class()
        names = [str(CellType(row.name).label) for row in rows]
        figures, title = [row.agreement for row in rows], "Positive agreement"
    lowest = min([0.0, *(each.low or each.value for each in figures if each)])
    with drawing(height=1 + 0.5 * len(names)) as (drawn, axes):
        draw_intervals(axes, names, figures, lowest=lowest)
        axes.set(xlabel=title)
        return svg(as_svg(drawn), f"agreement-{name}")


@require_safe
@duty_required("view_quality")
def export(request: MemberRequest, kind: str) -> HttpResponse:
    """Give pairs, classes and confusion as an Excel workbook, or one of them as CSV."""
    found = _board(request, _period(request))
    tables = [_pairs(found)]
    if found.chosen is not None:
        tables += [_classes(found.chosen), _confusion(found.chosen)]
    return answer_table(kind, f"agreement-{found.basis}", tables)


def _period(request: MemberRequest) -> Period:
    return Period.read(request.GET.dict(), shown=SHOWN_FIRST)


def _board(request: MemberRequest, period: Period) -> Board:
    asked = request.GET.get("basis", "")
    basis = Basis(asked) if asked in Basis.values else Basis.BLIND
    return board(request.user, basis=basis, period=period, pair=request.GET.get("pair", ""))


def _pairs(found: Board) -> Table:
    columns = [
        Column("First", 26), Column("Second", 26), Column("Cells"), Column("Cases"),
        *_figure_columns("Same class"), *_figure_columns("Kappa"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (pair.first, pair.second, pair.cells, pair.cases, *_figure(pair.observed),
         *_figure(pair.kappa))
        for pair in found.pairs
    ]  # fmt: skip
    if found.together:
        rows.append(
            ("All readers", "Krippendorff's alpha", found.together.cells, found.together.cases,
             None, None, None, *_figure(found.together.alpha))
        )  # fmt: skip
    return Table("pairs", "Pairs", columns, rows)


def _classes(pair: Pair) -> Table:
    columns = [
        Column("Class", 24), Column(pair.first, 20), Column(pair.second, 20),
        Column("Both"), *_figure_columns("Positive agreement"),
    ]  # fmt: skip
    rows = [
        (str(CellType(row.name).label), row.first, row.second, row.both, *_figure(row.agreement))
        for row in pair.by_class()
    ]
    return Table("classes", "Classes", columns, rows)


def _confusion(pair: Pair) -> Table:
    labels = [str(CellType(name).label) for name in pair.classes]
    columns = [Column(f"{pair.first}, below; {pair.second}, across", 30), *map(Column, labels)]
    rows: list[tuple[Cell, ...]] = [
        (label, *counts) for label, counts in zip(labels, pair.matrix, strict=True)
    ]
    return Table("confusion", "Confusion", columns, rows)


def _figure_columns(name: str) -> list[Column]:
    return [Column(name, 14), *(Column(f"{name}: {limit}", 14) for limit in _LIMITS)]


def _figure(figure: Figure | None) -> tuple[Decimal | None, ...]:
    values = (figure.value, figure.low, figure.high) if figure else (None, None, None)
    return tuple(None if value is None else Decimal(f"{value:.4f}") for value in values)
