"""Handing out many signed reports at once: recorded first, each verified, never all in memory."""

import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from xlsxwriter import Workbook

from accounts.audit import record, record_reads
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Patient
from reports import listing, policies
from reports.exceptions import ReportTampered
from reports.models import Report
from reports.querysets import ReportQuerySet
from reports.services.reading import read_content
from reports.spreadsheet import Book, Column

if TYPE_CHECKING:
    from accounts.models import User

CHUNK: Final = 200
MOST_IN_WORKBOOK: Final = 10_000
"""Reports in one workbook; CSV and JSON lines have no limit."""

TOO_MANY = (
    "{found} reports are too many for one workbook (at most {most}). "
    "Narrow the filter, or take CSV or JSON lines."
)


def begin_export(
    *, actor: "User", reports: ReportQuerySet, form: str, asked: Mapping[str, str]
) -> ReportQuerySet:
    """Record who takes how many reports of whom, and return exactly those that are meant.

    Raises:
        NotPermitted: not by this person.
        GuardFailed: more than a workbook takes.
    """
    if not policies.can_export_lists(actor):
        raise NotPermitted("You may not export lists of reports.")
    meant = reports.filter(issued_at__lte=timezone.now())
    number = meant.count()
    if form == "xlsx" and number > MOST_IN_WORKBOOK:
        raise GuardFailed(TOO_MANY.format(found=number, most=MOST_IN_WORKBOOK))
    patients = Patient.objects.filter(cases__reports__in=meant.order_by()).distinct().order_by("pk")
    with transaction.atomic():
        after = {"form": form, "filter": dict(asked), "reports": number}
        record(
            actor=actor,
            action="report.list_exported",
            target=None,
            after=after | {"patients": patients.count()},
        )
        record_reads(actor=actor, patients=patients.only("pk").iterator(chunk_size=CHUNK))
    return meant


def read_each(reports: ReportQuerySet, *, actor: "User") -> Iterator[listing.Listed]:
    """Give what each report says once its hashes agree; of another, that it is withheld."""
    for report in reports.with_signatures().iterator(chunk_size=CHUNK):
        yield _read(report, actor)


def write_workbook(reports: Iterator[listing.Listed], *, asked: Mapping[str, str]) -> IO[bytes]:
    """Return a temporary file with the table as a workbook; rows go to disk as they come."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    with Workbook(file, {"constant_memory": True}) as workbook:
        book = Book(workbook)
        book.add_sheet("Reports", listing.COLUMNS, (listing.row_of(one) for one in reports))
        filters = (Column("Filter", 20), Column("Value", 40))
        book.add_sheet("Filter", filters, [(name, value) for name, value in asked.items()])
    file.seek(0)
    return file


def _read(report: Report, actor: "User") -> listing.Listed:
    try:
        content = read_content(report, actor=actor)
    except ReportTampered:
        content = None
    return listing.Listed(report.case.accession_number, report.version, content)
