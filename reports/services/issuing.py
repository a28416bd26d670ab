"""Storing an issued version: its row, its document, and the signature bound to both."""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.audit import record
from classifier.models import Case
from reports.content import ReportContent, Signature
from reports.models import Report, SignOff
from reports.services.reauthentication import Reauthentication

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Signed:
    """Signed content with its document, ready to be issued."""

    content: ReportContent
    signature: Signature
    pdf: bytes


def build(case_id: uuid.UUID, signed: Signed) -> Report:
    """Return the unsaved row of a signed version."""
    content = signed.content
    return Report(
        id=uuid.UUID(signed.signature.report_id),
        case_id=case_id,
        version=content.version,
        status=content.status.code,
        reason=content.amendment.reason if content.amendment else "",
        content=content.to_json(),
        content_sha256=content.content_sha256,
        pdf_sha256=hashlib.sha256(signed.pdf).hexdigest(),
        issued_at=content.withdrawal.confirmed_at
        if content.withdrawal
        else signed.signature.signed_at,
        verification_code=signed.signature.verification_code,
    )


@contextmanager
def whole_or_nothing(report: Report) -> Iterator[None]:
    """Run a transaction; if it fails, the document's file goes too."""
    try:
        with transaction.atomic():
            yield
    except Exception:
        if report.pdf.name:
            report.pdf.storage.delete(report.pdf.name)
        raise


def store(report: Report, pdf: bytes, *, after: Report | None) -> None:
    """Save the version with its document, behind the one it supersedes."""
    report.supersedes = after
    report.pdf.save("", ContentFile(pdf), save=False)
    report.save(force_insert=True)


def bind(
    report: Report,
    *,
    signer: "User",
    signature: Signature,
    draft_sha256: str,
    proof: Reauthentication,
) -> None:
    """Write the signature row: bound to content and document by their hashes (21 CFR 11.70)."""
    SignOff.objects.create(
        report=report,
        signer=signer,
        signer_name=signature.signer_name,
        signer_title=signature.signer_title,
        meaning=signature.meaning.code,
        signed_at=signature.signed_at,
        draft_sha256=draft_sha256,
        content_sha256=report.content_sha256,
        pdf_sha256=report.pdf_sha256,
        reauthenticated_by=proof.method,
        reauthenticated_at=proof.at,
    )


def audit_issue(report: Report, *, case: Case, actor: "User", meaning: str) -> None:
    """Write down which version was issued, with its hashes."""
    supersedes = report.supersedes
    record(
        actor=actor,
        action="report.issued",
        target=report,
        before={"version": supersedes.version} if supersedes else None,
        after={
            "version": report.version,
            "status": report.status,
            "meaning": meaning,
            "content_sha256": report.content_sha256,
            "pdf_sha256": report.pdf_sha256,
        },
        reason=report.reason,
        patient=case.patient_id,
    )
