"""Signing: freezes what the signer saw as the case's next report version.

The PDF is made before the case is locked; under the lock the record is drafted again and must
still say what was rendered.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import lifecycle
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case
from classifier.services.reviews import close_review
from classifier.services.transitions import lock_case, transition
from reports.content import Coded, ReportContent, Signature
from reports.drafting import draft_report
from reports.enums import STATEMENTS, SignatureMeaning
from reports.models import Report, SignOff
from reports.pdf import render_pdf
from reports.pictures import load_printed
from reports.services.reauthentication import Reauthentication

if TYPE_CHECKING:
    from accounts.models import User

MOVE = "sign_off"
CHANGED_SINCE = (
    "The case was changed since you opened this page. Nothing was signed: "
    "read the report as it is now, then sign again."
)


@dataclass(frozen=True, slots=True)
class Intent:
    """What the signer declares: the meaning, the draft that was on the screen, its pictures."""

    meaning: SignatureMeaning
    draft_sha256: str
    cell_ids: Sequence[uuid.UUID] | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """Signed content with its document, ready to be issued."""

    content: ReportContent
    signature: Signature
    pdf: bytes


def sign_off_case(
    *, case_id: uuid.UUID, actor: "User", intent: Intent, reauthentication: Reauthentication
) -> Report:
    """Issue the next report version exactly as the signer previewed it, or change nothing.

    The same intent twice (a double click) gives the one report.

    Raises:
        NotPermitted: not this person's case, or the password was not given just now.
        TransitionRefused, GuardFailed: see the lifecycle; or a correction that corrects nothing.
        EditConflict: the record no longer says what was previewed.
        DocumentFailed, ReportTampered: the PDF could not be made.
    """
    if not reauthentication.is_valid_for(actor):
        raise NotPermitted("Give your password again to sign.")
    case = Case.objects.select_related("patient", "specimen", "submitted_by").get(pk=case_id)
    if issued := _issued_already(case, actor, intent):
        return issued
    lifecycle.check(lifecycle.TRANSITIONS[MOVE], case=case, actor=actor, reason="")
    signed = _prepare(_draft(case, intent), actor, intent)
    return _issue(case_id, actor, intent, reauthentication, signed)


def _draft(case: Case, intent: Intent) -> ReportContent:
    draft = draft_report(case, cell_ids=intent.cell_ids)
    if draft.draft_sha256 != intent.draft_sha256:
        raise EditConflict(CHANGED_SINCE)
    refuse_empty_correction(draft)
    return draft


def refuse_empty_correction(draft: ReportContent) -> None:
    """A corrected report has to correct something.

    Raises:
        GuardFailed: it says the same as the version before.
    """
    if draft.amendment and not draft.amendment.changes:
        raise GuardFailed(
            f"Nothing differs from version {draft.amendment.supersedes_version}: "
            "correct something, or withdraw the amendment."
        )


def _prepare(draft: ReportContent, actor: "User", intent: Intent) -> Signed:
    """Sign the draft in memory and render it."""
    signature = Signature(
        report_id=str(uuid.uuid4()),
        signer_id=actor.pk,
        signer_name=actor.full_name,
        signer_title=actor.title,
        meaning=Coded(intent.meaning.value, str(intent.meaning.label)),
        statement=STATEMENTS[intent.meaning],
        signed_at=timezone.now(),
    )
    content = draft.signed(signature)
    return Signed(content, signature, render_pdf(content, load_printed(content.pictures)))


def _issue(
    case_id: uuid.UUID,
    actor: "User",
    intent: Intent,
    reauthentication: Reauthentication,
    signed: Signed,
) -> Report:
    """Move the case, store report, document and signature: all of it or nothing."""
    report = _build(case_id, signed)
    try:
        with transaction.atomic():
            case = lock_case(case_id)
            if issued := _issued_already(case, actor, intent):
                return issued
            _draft(case, intent)
            transition(case_id=case_id, name=MOVE, actor=actor)
            close_review(case=case, outcome=ReviewOutcome.SIGNED)
            report.supersedes = case.reports.order_by("-version").first()
            report.pdf.save("", ContentFile(signed.pdf), save=False)
            report.save(force_insert=True)
            _bind(report, actor, intent, reauthentication, signed)
            _audit(report, case, actor, intent)
    except Exception:
        if report.pdf.name:
            report.pdf.storage.delete(report.pdf.name)
        raise
    return report


def _issued_already(case: Case, actor: "User", intent: Intent) -> Report | None:
    """Return the current report if this very intent has made it already."""
    if case.status != CaseStatus.SIGNED_OFF:
        return None
    last = case.reports.select_related("sign_off").order_by("-version").first()
    if last is None:
        return None
    mark = last.sign_off
    same = (mark.signer_id, mark.draft_sha256, mark.meaning)
    return last if same == (actor.pk, intent.draft_sha256, intent.meaning) else None


def _build(case_id: uuid.UUID, signed: Signed) -> Report:
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
        issued_at=signed.signature.signed_at,
    )


def _bind(
    report: Report, actor: "User", intent: Intent, proof: Reauthentication, signed: Signed
) -> None:
    """Write the signature row: bound to content and document by their hashes (21 CFR 11.70)."""
    SignOff.objects.create(
        report=report,
        signer=actor,
        signer_name=signed.signature.signer_name,
        signer_title=signed.signature.signer_title,
        meaning=intent.meaning,
        signed_at=signed.signature.signed_at,
        draft_sha256=intent.draft_sha256,
        content_sha256=report.content_sha256,
        pdf_sha256=report.pdf_sha256,
        reauthenticated_by=proof.method,
        reauthenticated_at=proof.at,
    )


def _audit(report: Report, case: Case, actor: "User", intent: Intent) -> None:
    supersedes = report.supersedes
    record(
        actor=actor,
        action="report.issued",
        target=report,
        before={"version": supersedes.version} if supersedes else None,
        after={
            "version": report.version,
            "status": report.status,
            "meaning": intent.meaning,
            "content_sha256": report.content_sha256,
            "pdf_sha256": report.pdf_sha256,
        },
        reason=report.reason,
        patient=case.patient_id,
    )
