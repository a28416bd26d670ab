"""Handing out issued reports: verified against their hashes first, and never unrecorded."""

import hashlib
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from reports.canonical import ContentError
from reports.content import ReportContent
from reports.exceptions import ReportTampered
from reports.models import Report
from vault.exceptions import Damaged

if TYPE_CHECKING:
    from accounts.models import User

NOT_AS_SIGNED = (
    "This report is not handed out: what is stored differs from what was signed. "
    "Tell the administrator; the audit trail has recorded it."
)


def read_content(report: Report, *, actor: "User") -> ReportContent:
    """Return what was signed, if content, row and signature still agree.

    Raises:
        ReportTampered: they don't; the attempt is audited.
    """
    try:
        content = report.says
    except (ContentError, ValueError, ArithmeticError) as error:
        raise _refuse(report, actor, "content") from error
    if {content.content_sha256} != {report.content_sha256, report.sign_off.content_sha256}:
        raise _refuse(report, actor, "content")
    return content


def read_pdf(report: Report, *, actor: "User") -> bytes:
    """Return the bytes that were signed.

    Raises:
        ReportTampered: the file is missing or another one; the attempt is audited.
    """
    read_content(report, actor=actor)
    try:
        with report.pdf.open("rb") as file:
            data: bytes = file.read()
    except Damaged as error:
        raise _refuse(report, actor, "pdf") from error
    except OSError as error:
        raise _refuse(report, actor, "pdf missing") from error
    found = hashlib.sha256(data).hexdigest()
    if {found} != {report.pdf_sha256, report.sign_off.pdf_sha256}:
        raise _refuse(report, actor, "pdf")
    return data


def record_download(report: Report, *, actor: "User", form: str) -> None:
    """Write down who took which version in which form."""
    with transaction.atomic():
        record(
            actor=actor,
            action="report.downloaded",
            target=report,
            after={"form": form, "version": report.version},
            patient=report.case.patient_id,
        )


def _refuse(report: Report, actor: "User", part: str) -> ReportTampered:
    with transaction.atomic():
        record(
            actor=actor,
            action="report.verification_failed",
            target=report,
            after={"part": part, "version": report.version},
            patient=report.case.patient_id,
        )
    return ReportTampered(NOT_AS_SIGNED)
