"""Reader checks for the reader: the board of the own ones, naming cells, the result."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST, require_safe

from classifier.enums import CellType
from classifier.reference_count_forms import MarkForm
from classifier.selectors.class_keys import CLASS_KEYS
from classifier.views.access import MemberRequest, attempt, duty_required
from classifier.views.images import private_file
from quality import policies
from quality.agreement import LEAST_CELLS
from quality.charts import draw_share
from quality.figures import as_svg, drawing
from quality.periods import Period
from quality.selectors import reader_checks as selectors
from quality.selectors.known_cells import count_by_class
from quality.selectors.reader_checks import Result, Task
from quality.services import reader_checks as services
from quality.tables import Table
from quality.views.answers import answer_table, svg
from reports.spreadsheet import Cell, Column

SHOWN_FIRST = timedelta(days=366)


@require_safe
@duty_required("view_quality")
def board(request: MemberRequest) -> HttpResponse:
    """Show the own checks and how they went; to who keeps checks, all readers."""
    period = _period(request)
    history = selectors.history_of(request.user, period)
    keeps = policies.can_keep_checks(request.user)
    context: dict[str, Any] = {
        "period": period, "rules": selectors.rules_in_force(), "keeps": keeps,
        "is_reader": policies.is_reader(request.user), "history": history,
        "together": selectors.together(history), "least_cells": LEAST_CELLS,
        "waiting": selectors.open_checks().filter(reader=request.user).first(),
    }  # fmt: skip
    if keeps:
        context |= {"readers": selectors.list_readers(period), "known": count_by_class()}
    return render(request, "quality/checks.html", context)


@require_safe
@duty_required("review_case")
def figure(request: MemberRequest) -> HttpResponse:
    """Draw the share named as agreed of each of the reader's own checks."""
    history = selectors.history_of(request.user, _period(request))[::-1]
    shown = [(check, result.share) for check, result in history if result.share]
    if not shown:
        raise Http404
    days = [f"{check.completed_at:%d %b}" for check, _ in shown]
    with drawing() as (drawn, axes):
        least = selectors.rules_in_force().least_percent
        draw_share(axes, days, [share for _, share in shown], least=least)
        return svg(as_svg(drawn), "reader-checks")


@require_safe
@duty_required("view_quality")
def export(request: MemberRequest, kind: str) -> HttpResponse:
    """Give the own checks and classes; to who keeps checks, those of all readers."""
    period = _period(request)
    if policies.can_keep_checks(request.user):
        people = [(state.reader.full_name, state.result) for state in
                  selectors.list_readers(period)]  # fmt: skip
    else:
        own = selectors.together(selectors.history_of(request.user, period))
        people = [(request.user.full_name, own)]
    return answer_table(kind, "reader-checks", [_readers(people), _classes(people)])


@require_GET
@duty_required("view_quality")
def check(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one cell of an open check to its reader; of a completed one the result."""
    found = selectors.get_own(request.user, pk)
    if found.is_open and not selectors.shown_positions(found):
        messages.warning(request, "None of the cells of this check may be shown now.")
        return redirect("quality:checks")
    if found.is_open:
        wanted = request.GET.get("cell", "")
        task = selectors.task_of(found, int(wanted) if wanted.isdecimal() else None)
        return render(request, "quality/check_reading.html", _reading_page(task))
    context = {
        "check": found, "result": selectors.result_of(found),
        "shown": selectors.shown_positions(found), "is_own": found.reader_id == request.user.pk,
    }  # fmt: skip
    return render(request, "quality/check_result.html", context)


@require_GET
@duty_required("view_quality")
def picture(request: MemberRequest, pk: uuid.UUID, position: int) -> FileResponse:
    """Return the picture of one cell, to its reader, and once completed to who keeps checks."""
    cell = selectors.find_cell(selectors.get_own(request.user, pk), position)
    try:
        return private_file(cell.known.picture.open("rb"), "image/webp")
    except OSError as error:
        raise Http404 from error


@require_POST
@duty_required("review_case")
def name(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Name a cell by the plain form, and go on to the next one."""
    found = selectors.get_own(request.user, pk)
    form = MarkForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a class.")
    else:
        attempt(
            request, services.name_cell, check_id=found.pk, actor=request.user, **form.cleaned_data
        )
    return redirect(found)


@require_POST
@duty_required("review_case")
def complete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End one's check."""
    found = selectors.get_own(request.user, pk)
    attempt(
        request, services.complete, success="Your check is complete.", check_id=found.pk,
        actor=request.user,
    )  # fmt: skip
    return redirect(found)


def _period(request: MemberRequest) -> Period:
    return Period.read(request.GET.dict(), shown=SHOWN_FIRST)


def _reading_page(task: Task) -> dict[str, Any]:
    key = task.check.pk
    return {
        "check": task.check,
        "task": task,
        "class_keys": CLASS_KEYS,
        "step_id": uuid.uuid4(),
        "picture": reverse("quality:check_picture", args=[key, task.position]),
        "script_data": {
            "positions": task.positions,
            "position": task.position,
            "marks": task.marks,
            "contested": {},
            "labels": {item.cell_type: item.label for item in CLASS_KEYS},
            "picture": reverse("quality:check_picture", args=[key, 0]),
            "marksUrl": reverse("quality:check_names", args=[key]),
        },
    }


def _readers(people: list[tuple[str, Result]]) -> Table:
    columns = [
        Column("Reader", 28), Column("Cells"), Column("Named as agreed"), Column("Share"),
        Column("Kappa"), Column("Kappa: lower limit", 14), Column("Kappa: upper limit", 14),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for person, result in people:
        kappa = result.kappa
        figures = (kappa.value, kappa.low, kappa.high) if kappa else (None, None, None)
        share = result.share.value if result.share else None
        rows.append((person, result.cells, result.right, *map(_places, (share, *figures))))
    return Table("readers", "Readers", columns, rows)


def _classes(people: list[tuple[str, Result]]) -> Table:
    columns = [
        Column("Reader", 28), Column("Class", 24), Column("Cells"), Column("Named so"),
        Column("Sensitivity"), Column("Lower limit"), Column("Upper limit"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (person, str(CellType(row.cell_type).label), row.sensitivity.n,
         round(row.sensitivity.value * row.sensitivity.n),
         *map(_places, (row.sensitivity.value, row.sensitivity.low, row.sensitivity.high)))
        for person, result in people for row in result.by_class()
    ]  # fmt: skip
    return Table("classes", "Classes", columns, rows)


def _places(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")
