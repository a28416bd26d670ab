"""Withdrawing a report that was entered in error: a pathologist declares it, another confirms.

The withdrawal is a version of its own: signed by the pathologist, issued when it is confirmed.
Every earlier version stays as it was signed.
"""

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import lifecycle, policies
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case
from classifier.services.transitions import lock_case, transition
from reports.content import Amendment, ReportContent, Signature, Withdrawal
from reports.enums import STATEMENTS, ReauthenticationMethod, ReportStatus, SignatureMeaning
from reports.layouts import load_images
from reports.models import Report, WithdrawalRequest
from reports.pdf import render_pdf
from reports.services.issuing import Signed, audit_issue, bind, build, store, whole_or_nothing
from reports.services.reauthentication import Reauthentication
from reports.succession import coded
from reports.verification import address_of, new_code

if TYPE_CHECKING:
    from accounts.models import User

MOVE = "withdraw_report"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a pathologist declares: which request this is, of which version, and why."""

    request_id: uuid.UUID
    report_id: uuid.UUID
    reason: str


@transaction.atomic
def request_withdrawal(
    *, actor: "User", declaration: Declaration, reauthentication: Reauthentication
) -> WithdrawalRequest:
    """Declare the standing version entered in error; nothing is withdrawn before it is confirmed.

    Raises:
        NotPermitted: not a pathologist, the submitter, or without a password just now.
        GuardFailed: no reason, not the standing version, being amended, or asked already.
    """
    if not reauthentication.is_valid_for(actor):
        raise NotPermitted("Give your password again to sign.")
    report = Report.objects.select_related("case").get(pk=declaration.report_id)
    case = lock_case(report.case_id)
    if asked := WithdrawalRequest.objects.filter(pk=declaration.request_id).first():
        return asked
    if not policies.can_ask_withdrawal(actor, case):
        raise NotPermitted("You may not withdraw this report.")
    _check_request(report, case, declaration.reason)
    asked = WithdrawalRequest.objects.create(
        id=declaration.request_id,
        report=report,
        reason=declaration.reason.strip(),
        requested_by=actor,
        requester_name=actor.full_name,
        requester_title=actor.title,
        requested_at=timezone.now(),
        reauthenticated_by=reauthentication.method,
        reauthenticated_at=reauthentication.at,
    )
    _record(asked, actor, "report.withdrawal_requested", asked.reason)
    return asked


def confirm_withdrawal(
    *, request_id: uuid.UUID, actor: "User", reauthentication: Reauthentication
) -> Report:
    """Issue the version that withdraws the report, and end the case; twice gives the one.

    Raises:
        NotPermitted: the same person asked, signed or submitted; or without a password just now.
        GuardFailed, TransitionRefused: it was decided already, or the report was amended since.
        DocumentFailed, ReportTampered: the PDF could not be made.
    """
    if not reauthentication.is_valid_for(actor):
        raise NotPermitted("Give your password again to confirm.")
    asked = _get(request_id)
    if asked.is_confirmed:
        return asked.report.superseded_by
    _check_confirmation(asked, asked.report.case, actor)
    signed = _prepare(asked, actor)
    report = build(asked.report.case_id, signed)
    with whole_or_nothing(report):
        case = lock_case(asked.report.case_id)
        asked = _get(request_id)
        if asked.is_confirmed:
            return asked.report.superseded_by
        _check_confirmation(asked, case, actor)
        _decide(asked, actor, is_confirmed=True)
        transition(case_id=case.pk, name=MOVE, actor=actor, reason=asked.reason)
        store(report, signed.pdf, after=asked.report)
        proof = Reauthentication(
            asked.requested_by_id,
            ReauthenticationMethod(asked.reauthenticated_by),
            asked.reauthenticated_at,
        )
        bind(
            report,
            signer=asked.requested_by,
            signature=signed.signature,
            draft_sha256=asked.report.content_sha256,
            proof=proof,
        )
        audit_issue(report, case=case, actor=actor, meaning=SignatureMeaning.WITHDRAWAL)
    return report


@transaction.atomic
def decline_withdrawal(*, request_id: uuid.UUID, actor: "User", reason: str) -> WithdrawalRequest:
    """Leave the report standing: whoever may confirm says why not, or who asked takes it back.

    Raises:
        NotPermitted: neither of them.
        GuardFailed: no reason, or it was decided already.
    """
    asked = _get(request_id)
    lock_case(asked.report.case_id)
    asked = _get(request_id)
    is_own = asked.requested_by_id == actor.pk
    if not (is_own or policies.can_confirm_withdrawal(actor, asked.report.case)):
        raise NotPermitted("You may not decide this request.")
    if asked.decided_at is not None:
        raise GuardFailed("This request was decided already.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    _decide(asked, actor, is_confirmed=False, reason=reason.strip())
    _record(asked, actor, "report.withdrawal_declined", reason.strip())
    return asked


def _get(request_id: uuid.UUID) -> WithdrawalRequest:
    requests = WithdrawalRequest.objects.select_related(
        "report__case", "report__superseded_by", "requested_by"
    )
    return requests.get(pk=request_id)


def _check_request(report: Report, case: Case, reason: str) -> None:
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    if not case.reports.standing().filter(pk=report.pk).exists():
        raise GuardFailed("Only the version that stands can be withdrawn.")
    if case.status not in lifecycle.TRANSITIONS[MOVE].sources:
        raise GuardFailed("The report is being amended: sign or withdraw the amendment first.")
    if report.withdrawals.filter(decided_at=None).exists():
        raise GuardFailed("The withdrawal of this report is asked for already.")


def _check_confirmation(asked: WithdrawalRequest, case: Case, actor: "User") -> None:
    lifecycle.check(lifecycle.TRANSITIONS[MOVE], case=case, actor=actor, reason=asked.reason)
    if asked.requested_by_id == actor.pk:
        raise NotPermitted("Another person confirms what you asked for.")
    if asked.decided_at is not None:
        raise GuardFailed("This request was decided already.")
    if not case.reports.standing().filter(pk=asked.report_id).exists():
        raise GuardFailed("The report was amended since the withdrawal was asked for.")


def _prepare(asked: WithdrawalRequest, actor: "User") -> Signed:
    """Write the withdrawal over the signer's name as of the request, and render it."""
    code, meaning = new_code(), SignatureMeaning.WITHDRAWAL
    signature = Signature(
        report_id=str(uuid.uuid4()),
        signer_id=asked.requested_by_id,
        signer_name=asked.requester_name,
        signer_title=asked.requester_title,
        meaning=coded(meaning),
        statement=STATEMENTS[meaning],
        signed_at=asked.requested_at,
        verification_code=code,
        verification_address=address_of(code),
    )
    content = _withdrawn(asked, actor).signed(signature)
    return Signed(content, signature, render_pdf(content, load_images(content)))


def _withdrawn(asked: WithdrawalRequest, actor: "User") -> ReportContent:
    """Return what the report said, as the version that withdraws it."""
    report = asked.report
    amendment = Amendment(
        supersedes_version=report.version,
        supersedes_sha256=report.content_sha256,
        superseded_at=report.issued_at,
        reason=asked.reason,
        changes=(),
    )
    withdrawal = Withdrawal(
        requested_by=asked.requester,
        requested_at=asked.requested_at,
        confirmed_by=actor.name_with_title,
        confirmed_at=timezone.now(),
    )
    content = report.says.correcting(
        version=report.version + 1,
        status=coded(ReportStatus.ENTERED_IN_ERROR),
        amendment=amendment,
    )
    return replace(content, withdrawal=withdrawal, replaces=None)


def _decide(
    asked: WithdrawalRequest, actor: "User", *, is_confirmed: bool, reason: str = ""
) -> None:
    asked.decided_by, asked.decided_at = actor, timezone.now()
    asked.is_confirmed, asked.decision_reason = is_confirmed, reason
    asked.save(update_fields=["decided_by", "decided_at", "is_confirmed", "decision_reason"])


def _record(asked: WithdrawalRequest, actor: "User", action: str, reason: str) -> None:
    record(
        actor=actor,
        action=action,
        target=asked.report,
        after={"version": asked.report.version},
        reason=reason,
        patient=asked.report.case.patient_id,
    )
