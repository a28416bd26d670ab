"""Reading an issued report as the source of FHIR resources, verified first."""

from typing import TYPE_CHECKING

from django.conf import settings

from reports.fhir.source import SignedReport
from reports.models import Report
from reports.pictures import load_kept
from reports.services.reading import read_content, read_pdf

if TYPE_CHECKING:
    from accounts.models import User


def read_signed(
    report: Report, *, actor: "User", earlier: list[Report] | None = None, with_files: bool = False
) -> SignedReport:
    """Return a report as it was signed; ``earlier`` are the versions before it, the first first.

    The PDF and the pictures come along only ``with_files``.

    Raises:
        ReportTampered: what is stored isn't what was signed; the attempt is audited.
    """
    if earlier is None:
        before = Report.objects.filter(case=report.case_id, version__lt=report.version)
        earlier = list(before.with_signatures().order_by("version"))
    content = read_content(report, actor=actor)
    return SignedReport(
        content=content,
        base=settings.SITE_URL,
        report_id=str(report.pk),
        issued_at=report.issued_at,
        pdf_sha256=report.pdf_sha256,
        pdf=read_pdf(report, actor=actor) if with_files else b"",
        images=load_kept(content.pictures) if with_files else {},
        earlier=tuple(read_content(item, actor=actor) for item in earlier),
        with_snomed=settings.SNOMED_LICENSED,
    )
