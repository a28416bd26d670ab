"""Withdrawing interim reports of cases that were rejected or cancelled: a version of its own.

The rows are the queue: a case that ended while an interim version stood is due, whoever ended it
and by whatever way. Whoever ended the case issues the version; it is an announcement and takes no
password of its own.
"""

import logging
import uuid
from dataclasses import replace
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.models import Case
from classifier.services.transitions import lock_case
from reports.content import Amendment, ReportContent, Signature
from reports.endings import ENDINGS
from reports.enums import STATEMENTS, ReauthenticationMethod, ReportStatus, SignatureMeaning
from reports.exceptions import DocumentFailed
from reports.layouts import load_images
from reports.models import Report
from reports.pdf import render_pdf
from reports.services.issuing import Signed, audit_issue, bind, build, store, whole_or_nothing
from reports.services.reauthentication import Reauthentication
from reports.succession import coded
from reports.verification import address_of, new_code

logger = logging.getLogger(__name__)

ENDED = (CaseStatus.REJECTED, CaseStatus.CANCELLED)
BATCH = 20
ENDED_WITHOUT_REASON = "The case was ended."


def cancel_interims() -> int:
    """Withdraw the interim reports of ended cases; return how many. Twice at once is harmless.

    A report whose document can't be made is left for the next round.
    """
    done = 0
    for report in list(_due()[:BATCH]):
        try:
            done += cancel_interim(report) is not None
        except DocumentFailed:
            logger.exception("Interim report %s can't be withdrawn now", report.pk)
    return done


def cancel_interim(report: Report) -> Report | None:
    """Issue the version that withdraws an interim report; None if it isn't due any more.

    Raises:
        DocumentFailed: the PDF could not be made; nothing was issued.
    """
    actor, ended_at = _ending_of(report.case)
    signed = _prepare(report, actor)
    made = build(report.case_id, signed)
    with whole_or_nothing(made):
        case = lock_case(report.case_id)
        if not _due().filter(pk=report.pk).exists():
            return None
        store(made, signed.pdf, after=report)
        bind(
            made,
            signer=actor,
            signature=signed.signature,
            draft_sha256=report.content_sha256,
            proof=Reauthentication(actor.pk, ReauthenticationMethod.NONE, ended_at),
        )
        audit_issue(made, case=case, actor=actor, meaning=SignatureMeaning.CANCELLATION)
    return made


def _due() -> QuerySet[Report]:
    """Return the interim versions that stand although their case has ended."""
    interim = Report.objects.current().filter(status=ReportStatus.PRELIMINARY)
    return interim.filter(case__status__in=ENDED).select_related("case").order_by("issued_at")


def _ending_of(case: Case) -> tuple[User, datetime]:
    """Return who ended the case, and when."""
    events = AuditEvent.objects.filter(target_id=str(case.pk), action__in=ENDINGS)
    ended = events.select_related("actor").order_by("-at").first()
    return (ended.actor, ended.at) if ended else (User.system(), timezone.now())


def _prepare(report: Report, actor: User) -> Signed:
    """Write the withdrawal over the name of whoever ended the case, and render it."""
    code, meaning = new_code(), SignatureMeaning.CANCELLATION
    signature = Signature(
        report_id=str(uuid.uuid4()),
        signer_id=actor.pk,
        signer_name=actor.full_name,
        signer_title=actor.title,
        meaning=coded(meaning),
        statement=STATEMENTS[meaning],
        signed_at=timezone.now(),
        verification_code=code,
        verification_address=address_of(code),
    )
    content = _cancelled(report).signed(signature)
    return Signed(content, signature, render_pdf(content, load_images(content)))


def _cancelled(report: Report) -> ReportContent:
    """Return what the interim report said, as the version that takes it back."""
    amendment = Amendment(
        supersedes_version=report.version,
        supersedes_sha256=report.content_sha256,
        superseded_at=report.issued_at,
        reason=report.case.status_reason or ENDED_WITHOUT_REASON,
        changes=(),
    )
    content = report.says.correcting(
        version=report.version + 1, status=coded(ReportStatus.CANCELLED), amendment=amendment
    )
    return replace(content, replaces=None)
