"""A control's Levey-Jennings charts, their tables, and taking a run in."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from classifier.exceptions import DomainError, NotPermitted
from classifier.views.access import MemberRequest, duty_required
from quality import policies
from quality.analytes import analytes_of, title_of, unit_of
from quality.charts import draw_levey_jennings
from quality.enums import Rule
from quality.figures import as_svg, drawing
from quality.forms import ControlRunForm
from quality.models import ControlMaterial, ControlPoint
from quality.periods import Period
from quality.selectors import controls as selectors
from quality.services.control_runs import start_run
from quality.tables import Table
from quality.views.answers import answer_table, svg
from reports.spreadsheet import Column

READ = "view_worklist"


@require_safe
@duty_required(READ)
def page(request: MemberRequest, pk: int) -> HttpResponse:
    """Show one analyte's chart and points over a period, and what is expected."""
    material = get_object_or_404(ControlMaterial, pk=pk)
    period, analyte = Period.read(request.GET.dict()), _analyte(request, material)
    points = list(selectors.points_of(material, analyte, period).reverse())
    proposal = material.targets.filter(approved_at=None, withdrawn_at=None).first()
    user = request.user
    context = {
        "material": material, "period": period, "analyte": analyte, "points": points,
        "analytes": [(name, title_of(name)) for name in _analytes()],
        "title": title_of(analyte), "unit": unit_of(analyte),
        "target": selectors.target_in_force(material), "proposal": proposal,
        "unread": material.runs.filter(finished_at=None),
        "failed": material.runs.filter(status="failed")[:3],
        "may_run": policies.can_run_controls(user) and material.retired_at is None,
        "may_prepare": policies.can_prepare_controls(user),
        "may_approve": proposal is not None and policies.can_approve_target(user, proposal),
        "may_withdraw": proposal is not None and policies.can_withdraw_target(user, proposal),
    }  # fmt: skip
    return render(request, "quality/control.html", context)


@require_safe
@duty_required(READ)
def figure(request: MemberRequest, pk: int) -> HttpResponse:
    """Draw the Levey-Jennings chart of one analyte."""
    material = get_object_or_404(ControlMaterial, pk=pk)
    analyte = _analyte(request, material)
    points = list(selectors.points_of(material, analyte, Period.read(request.GET.dict())))
    with drawing(height=4.0) as (drawn, axes):
        draw_levey_jennings(axes, points)
        axes.set(ylabel=f"{title_of(analyte)}, {unit_of(analyte)}")
        return svg(as_svg(drawn), f"control-{pk}-{analyte}")


@require_safe
@duty_required(READ)
def export(request: MemberRequest, pk: int, kind: str) -> HttpResponse:
    """Give every analyte's points as an Excel workbook, or those of one as CSV."""
    material = get_object_or_404(ControlMaterial, pk=pk)
    period = Period.read(request.GET.dict())
    tables = [
        _table(name, list(selectors.points_of(material, name, period))) for name in _analytes()
    ]
    return answer_table(kind, f"control-{pk}", tables)


@require_http_methods(["GET", "POST"])
@duty_required("upload_image")
def run(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask for pictures of a control, and have them read."""
    material = get_object_or_404(ControlMaterial, pk=pk)
    versions = selectors.versions_to_control()
    form = ControlRunForm(request.POST or None, request.FILES or None, versions=versions)
    if form.is_valid():
        files = [(file.name or "", file.read()) for file in form.cleaned_data["pictures"]]
        try:
            start_run(
                actor=request.user, material_id=pk, files=files,
                version_id=form.cleaned_data["version_id"],
                comment=form.cleaned_data["comment"],
            )  # fmt: skip
        except NotPermitted as refused:
            raise PermissionDenied(str(refused)) from refused
        except DomainError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The control is being read. Its points appear in seconds.")
            return redirect(material)
    status = 422 if form.errors else 200
    context = {"form": form, "material": material, "versions": versions}
    return render(request, "quality/control_run.html", context, status=status)


def _analytes() -> Sequence[str]:
    model = selectors.model_in_use()
    return analytes_of(model.class_names if model else [])


def _analyte(request: MemberRequest, material: ControlMaterial) -> str:
    """Return what was asked for; else the first that is expected, or the first there is."""
    known = _analytes()
    asked = request.GET.get("analyte", "")
    if asked in known:
        return asked
    target = selectors.target_in_force(material)
    expected = target.values.first() if target else None
    return expected.analyte if expected and expected.analyte in known else known[0]


def _table(analyte: str, points: Sequence[ControlPoint]) -> Table:
    columns = [
        Column("Read at", 18), Column(f"{title_of(analyte)} ({unit_of(analyte)})", 26),
        Column("Mean", 10), Column("SD", 10), Column("z", 8), Column("Rules broken", 16),
        Column("Run", 24), Column("Cells", 8), Column("Model", 18), Column("Uploaded by", 22),
        Column("Comment", 40),
    ]  # fmt: skip
    rows = [
        (
            f"{point.run.finished_at:%Y-%m-%d %H:%M}", _round(point.value), _round(point.mean),
            _round(point.sd), _round(point.z), ", ".join(Rule(each).label for each in point.broken),
            point.run.get_verdict_display() or "Not judged", point.run.cells,
            str(point.run.model_version), point.run.started_by.full_name, point.run.comment,
        )
        for point in points
    ]  # fmt: skip
    return Table(analyte, title_of(analyte), columns, rows)


def _round(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
