"""The result of a reference count as CSV, in long form: one figure or one word a row."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from classifier import agreement
from classifier.models import ReferenceStudy
from classifier.selectors.reference_results import MachineRow, Result, Table

COLUMNS = ("section", "item", "class", "other", "value", "low", "high", "n")
Row = tuple[Any, ...]


def write_result(study: ReferenceStudy, result: Result) -> str:
    """Return the result; every text in it is from our own lists, so that none is a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(study, result):
        writer.writerow([*row, *[""] * (len(COLUMNS) - len(row))])
    return "\ufeff" + buffer.getvalue()


def _rows(study: ReferenceStudy, result: Result) -> Iterator[Row]:
    yield "study", "accession_number", "", "", study.case.accession_number
    yield "study", "status", "", "", study.status
    yield "study", "cells", "", "", len(result.verdicts)
    yield "study", "seed", "", "", study.seed
    for row in result.counts.rows:
        yield "count", "reader 1", row.cell_type, "", row.first
        yield "count", "reader 2", row.cell_type, "", row.second
        yield ("percent", "mean", row.cell_type, "", _round(row.mean), *map(_round, row.limits))
        yield "percent", "standard error", row.cell_type, "", _round(row.error)
    for name, first, second in result.counts.apart:
        yield "apart", "reader 1", name, "", first
        yield "apart", "reader 2", name, "", second
    yield from _agreement("readers", result.readers)
    if result.machine:
        yield from _agreement("machine", result.machine.table)
        for found in result.machine.rows:
            yield from _detection(found)
        if line := result.machine.line:
            yield "machine", "slope", "", "", _round(line.slope), "", "", line.points
            yield "machine", "intercept", "", "", _round(line.intercept), "", "", line.points
    for cell in result.verdicts:
        said = {"reader 1": cell.first, "reader 2": cell.second, "arbiter": cell.arbiter}
        if result.machine:
            said |= {"reference": cell.reference, "machine": cell.machine}
        for who, name in said.items():
            if name:
                yield "cell", who, name, cell.position


def _agreement(who: str, table: Table) -> Iterator[Row]:
    if table.percent:
        yield _estimate(who, "agreement", "", table.percent)
    if kappa := table.kappa:
        limits = _round(kappa.low), _round(kappa.high)
        yield (who, "kappa", "", "", _round(kappa.value), *limits, kappa.n)
    for name, counts in table.lines:
        for other, (count, _) in zip(table.classes, counts, strict=True):
            yield who, "confusion", name, other, count


def _detection(row: MachineRow) -> Iterator[Row]:
    if row.found.sensitivity:
        yield _estimate("machine", "sensitivity", row.cell_type, row.found.sensitivity)
    if row.found.specificity:
        yield _estimate("machine", "specificity", row.cell_type, row.found.specificity)


def _estimate(section: str, item: str, name: str, found: agreement.Estimate) -> Row:
    return (
        section,
        item,
        name,
        "",
        _round(found.value),
        _round(found.low),
        _round(found.high),
        found.n,
    )


def _round(value: float) -> str:
    return f"{value:.4f}"
