"""Signing a case's report: what will be signed, what it means, and the password."""

import uuid
from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.audit import record_read
from accounts.single_sign_on.confirming import kept, without_password
from classifier.exceptions import DomainError, EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, Cell
from classifier.views.access import MemberRequest, duty_required
from consultation.selectors.referrals import list_answered, list_awaited
from reports import selectors
from reports.content import ReportContent
from reports.drafting import draft_report
from reports.enums import Issue
from reports.exceptions import (
    DocumentFailed,
    LockedOut,
    ReauthenticationUnavailable,
    ReportTampered,
    WrongPassword,
)
from reports.forms import PicturesForm, SignatureForm
from reports.layouts import load_images
from reports.models import Report
from reports.pdf import document_context, render_pdf
from reports.pictures import MOST_PICTURES, find_cells
from reports.services.reauthentication import reauthenticate
from reports.services.sign_off import Intent, move_of, refuse_empty_correction, sign_off_case

REFUSED, CONFLICT, UNAVAILABLE = 422, 409, 503


@duty_required("sign_off_case")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_off(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show exactly what will be signed; sign it with a stated meaning and the password."""
    case = selectors.get_case(request.user, pk)
    try:
        return _sign(request, case) if request.method == "POST" else _show(request, case)
    except (DocumentFailed, ReportTampered) as failure:
        return _without_document(request, case, failure)


@duty_required("sign_off_case")
@never_cache
@require_GET
def preview(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the PDF as it would be signed now, marked as not signed."""
    case = selectors.get_case(request.user, pk)
    if not selectors.may_sign(request.user, case):
        raise PermissionDenied("This case is open with somebody else.")
    record_read(actor=request.user, patient=case.patient)
    pictures = _pictures_form(case, request.GET)
    choice = pictures.choice() if pictures.is_valid() else None
    try:
        draft, _, _ = _draft(case, choice, request.GET)
        document = render_pdf(draft, load_images(draft))
    except (DocumentFailed, ReportTampered) as failure:
        return _without_document(request, case, failure)
    response = HttpResponse(document, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{case.accession_number}-preview.pdf"'
    return response


def _show(request: MemberRequest, case: Case) -> HttpResponse:
    if not selectors.is_open_for_signing(case):
        return _elsewhere(request, case)
    if not selectors.may_sign(request.user, case):
        raise PermissionDenied("This case is open with somebody else.")
    record_read(actor=request.user, patient=case.patient)
    asked = kept(request) or request.GET
    return _page(request, case, _pictures_form(case, asked), asked=asked)


def _sign(request: MemberRequest, case: Case) -> HttpResponse:
    form = SignatureForm(request.POST)
    without_password(form, request)
    pictures = _pictures_form(case, request.POST)
    if not (form.is_valid() and pictures.is_valid()):
        return _page(request, case, pictures, form=form, status=REFUSED)
    try:
        report = _sign_as_declared(request, case, form, pictures)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except (WrongPassword, LockedOut) as refusal:
        form.add_error("password", str(refusal))
        status = REFUSED
    except ReauthenticationUnavailable as fault:
        form.add_error(None, str(fault))
        status = UNAVAILABLE
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        status = CONFLICT if isinstance(refusal, EditConflict) else REFUSED
    else:
        messages.success(request, f"Report {report.file_stem} is signed and issued.")
        return redirect(report)
    case.refresh_from_db(fields=["status"])
    if not selectors.is_open_for_signing(case):
        return _elsewhere(request, case)
    return _page(request, case, pictures, form=form, status=status)


def _sign_as_declared(
    request: MemberRequest, case: Case, form: SignatureForm, pictures: PicturesForm
) -> Report:
    """Confirm the signer first; who isn't confirmed reaches nothing else."""
    proof = reauthenticate(request, request.user, form.cleaned_data.get("password", ""))
    intent = Intent(
        meaning=form.cleaned_data["meaning"],
        draft_sha256=form.cleaned_data["draft_sha256"],
        cell_ids=pictures.choice(),
        issue=form.cleaned_data["issue"],
    )
    return sign_off_case(case_id=case.pk, actor=request.user, intent=intent, reauthentication=proof)


def _page(
    request: MemberRequest,
    case: Case,
    pictures: PicturesForm,
    *,
    form: SignatureForm | None = None,
    asked: QueryDict | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the draft of now; the form carries its hash, whatever hash was sent before."""
    if not selectors.may_sign(request.user, case):
        raise PermissionDenied("This case is open with somebody else.")
    choice = pictures.choice() if pictures.is_valid() else None
    data = request.POST if asked is None else asked
    entered = (kept(request) if form is None else None) or QueryDict()
    shown = form or SignatureForm(initial=entered.dict())
    without_password(shown, request)
    read = shown["draft_sha256"].value()
    draft, issue, refusal = _draft(case, choice, data)
    context = document_context(draft, load_images(draft)) | {
        "case": case,
        "form": shown,
        "draft_sha256": draft.draft_sha256,
        "is_changed": read is not None and read != draft.draft_sha256,
        "issue": issue,
        "issue_refusal": refusal,
        "problems": _problems(case, draft, issue),
        "cells": find_cells(case),
        "shown": {picture.cell_id for picture in draft.pictures},
        "is_chosen": choice is not None,
        "picture_errors": pictures.errors.get("cells", []),
        "most_pictures": MOST_PICTURES,
        "query": _query(choice, issue),
        "awaited": list_awaited(case),
        "answered": list_answered(case),
    }
    return render(request, "reports/sign_off.html", context, status=status)


def _draft(
    case: Case, choice: Sequence[uuid.UUID] | None, data: QueryDict
) -> tuple[ReportContent, Issue, str]:
    """Return the draft of what was asked for; if it can't be, of the result, and why.

    Of a case that nobody has open only an interim result can be issued.
    """
    wanted = data.get("issue", "")
    issue = Issue(wanted) if wanted in Issue.values else Issue.RESULT
    if selectors.awaits_review(case):
        return draft_report(case, cell_ids=choice, issue=Issue.INTERIM), Issue.INTERIM, ""
    try:
        return draft_report(case, cell_ids=choice, issue=issue), issue, ""
    except GuardFailed as refusal:
        if issue == Issue.RESULT:
            raise
        return draft_report(case, cell_ids=choice), Issue.RESULT, str(refusal)


def _problems(case: Case, draft: ReportContent, issue: Issue) -> list[str]:
    """Return why signing would be refused now, so that nobody types a password in vain."""
    problems = selectors.problems_before_signing(case, move_of(case, issue))
    try:
        refuse_empty_correction(draft)
    except DomainError as refusal:
        problems.append(str(refusal))
    return problems


def _pictures_form(case: Case, data: QueryDict) -> PicturesForm:
    cells = Cell.objects.filter(image__case=case).order_by()
    return PicturesForm(data, cell_ids=list(cells.values_list("pk", flat=True)))


def _query(choice: Sequence[uuid.UUID] | None, issue: Issue) -> str:
    """Return what is issued and the choice of pictures for the address of the PDF preview."""
    pairs = [] if issue == Issue.RESULT else [("issue", issue.value)]
    if choice is not None:
        pairs += [("chosen", "on"), *(("cells", str(pk)) for pk in choice)]
    return urlencode(pairs)


def _elsewhere(request: MemberRequest, case: Case) -> HttpResponse:
    """Send the signer to the report that was issued meanwhile, or back to the case."""
    last = selectors.versions_of(case).first()
    if last and case.is_signed:
        messages.info(request, "This case is signed already.")
        return redirect(last)
    messages.error(request, "This case is not open for signing.")
    return redirect(case)


def _without_document(request: MemberRequest, case: Case, failure: DomainError) -> HttpResponse:
    """Lead back to the case and say why there is nothing to sign."""
    messages.error(request, str(failure))
    return redirect(case)
