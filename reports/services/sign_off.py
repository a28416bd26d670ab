"""Signing: freezes what the signer saw as the case's next report version.

The PDF is made before the case is locked; under the lock the record is drafted again and must
still say what was rendered.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from classifier import lifecycle
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case
from classifier.services.critical_calls import refresh_alert
from classifier.services.reviews import close_review
from classifier.services.transitions import lock_case, transition
from reports.content import Coded, ReportContent, Signature
from reports.drafting import draft_report
from reports.enums import STATEMENTS, Issue, SignatureMeaning
from reports.layouts import load_images
from reports.models import Report
from reports.pdf import render_pdf
from reports.services.issuing import Signed, audit_issue, bind, build, store, whole_or_nothing
from reports.services.reauthentication import Reauthentication
from reports.verification import address_of, new_code

if TYPE_CHECKING:
    from accounts.models import User

MOVES = {Issue.RESULT: "sign_off", Issue.ADDITION: "sign_off", Issue.INTERIM: "issue_interim"}
UNOPENED = "issue_interim_unopened"
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
    issue: Issue = Issue.RESULT


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
    refresh_alert(case_id)
    move = lifecycle.TRANSITIONS[move_of(case, intent.issue)]
    lifecycle.check(move, case=case, actor=actor, reason="")
    signed = _prepare(_draft(case, intent), actor, intent)
    return _issue(case_id, actor, intent, reauthentication, signed)


def move_of(case: Case, issue: Issue) -> str:
    """Return the step that issuing is; an interim result may go out while nobody has the case."""
    is_unopened = issue == Issue.INTERIM and case.status == CaseStatus.AWAITING_REVIEW
    return UNOPENED if is_unopened else MOVES[issue]


def _draft(case: Case, intent: Intent) -> ReportContent:
    draft = draft_report(case, cell_ids=intent.cell_ids, issue=intent.issue)
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
        if draft.amendment.is_addition:
            raise GuardFailed(
                f"Nothing was added to version {draft.amendment.supersedes_version}: add to the "
                "interpretation, record a call, or choose more cell images."
            )
        raise GuardFailed(
            f"Nothing differs from version {draft.amendment.supersedes_version}: "
            "correct something, or withdraw the amendment."
        )


def _prepare(draft: ReportContent, actor: "User", intent: Intent) -> Signed:
    """Sign the draft in memory and render it."""
    code = new_code()
    signature = Signature(
        report_id=str(uuid.uuid4()),
        signer_id=actor.pk,
        signer_name=actor.full_name,
        signer_title=actor.title,
        meaning=Coded(intent.meaning.value, str(intent.meaning.label)),
        statement=STATEMENTS[intent.meaning],
        signed_at=timezone.now(),
        verification_code=code,
        verification_address=address_of(code),
    )
    content = draft.signed(signature)
    return Signed(content, signature, render_pdf(content, load_images(content)))


def _issue(
    case_id: uuid.UUID,
    actor: "User",
    intent: Intent,
    reauthentication: Reauthentication,
    signed: Signed,
) -> Report:
    """Move the case, store report, document and signature: all of it or nothing."""
    report = build(case_id, signed)
    with whole_or_nothing(report):
        case = lock_case(case_id)
        if issued := _issued_already(case, actor, intent):
            return issued
        _draft(case, intent)
        transition(case_id=case_id, name=move_of(case, intent.issue), actor=actor)
        if intent.issue != Issue.INTERIM:
            close_review(case=case, outcome=ReviewOutcome.SIGNED)
        store(report, signed.pdf, after=case.reports.order_by("-version").first())
        bind(
            report,
            signer=actor,
            signature=signed.signature,
            draft_sha256=intent.draft_sha256,
            proof=reauthentication,
        )
        audit_issue(report, case=case, actor=actor, meaning=intent.meaning)
    return report


def _issued_already(case: Case, actor: "User", intent: Intent) -> Report | None:
    """Return the current report if this very intent has made it already."""
    if case.status != CaseStatus.SIGNED_OFF and intent.issue != Issue.INTERIM:
        return None
    last = case.reports.select_related("sign_off").order_by("-version").first()
    if last is None:
        return None
    mark = last.sign_off
    same = (mark.signer_id, mark.draft_sha256, mark.meaning)
    return last if same == (actor.pk, intent.draft_sha256, intent.meaning) else None
