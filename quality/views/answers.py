"""How figures and tables leave the boards."""

from collections.abc import Sequence

from django.http import Http404, HttpResponse

from quality.tables import Table, as_workbook

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def svg(content: bytes, name: str) -> HttpResponse:
    """Answer with a figure."""
    response = HttpResponse(content, content_type="image/svg+xml")
    response["Content-Disposition"] = f'inline; filename="{name}.svg"'
    return response


def answer_table(kind: str, name: str, tables: Sequence[Table]) -> HttpResponse:
    """Answer with all tables as a workbook (`xlsx`), or with the named one as text (`csv`).

    `kind` is "xlsx", or the name of a table followed by ".csv"; anything else is no page.
    """
    if kind == "xlsx":
        return _file(as_workbook(tables), _XLSX, f"{name}.xlsx")
    for table in tables:
        if kind == f"{table.name}.csv":
            return _file(table.as_csv(), "text/csv; charset=utf-8", f"{name}-{kind}")
    raise Http404


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
