"""The referrer's side: refer, withdraw, quote an opinion, have it printed."""

import uuid
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from classifier.exceptions import DomainError, NotPermitted
from classifier.models import Case
from classifier.selectors.intake import get_case
from classifier.views.access import MemberRequest, attempt, duty_required
from consultation.forms import ReferralForm, TermForm, WithdrawalForm
from consultation.selectors.people import consultant_choices
from consultation.selectors.referrals import get_opinion, get_referral
from consultation.services.inviting import Newcomer, invite_and_refer
from consultation.services.opinions import print_opinion
from consultation.services.quoting import quote_opinion
from consultation.services.referrals import refer_case, withdraw_referral
from consultation.services.terms import change_term
from consultation.views.discussion import INVITATION_LINK, render_discussion


@duty_required("review_case")
@require_POST
def refer(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Refer the case; refused, the form keeps what was written."""
    case = get_case(request.user, pk)
    form = ReferralForm(request.POST, consultants=consultant_choices(request.user))
    if not form.is_valid():
        return render_discussion(request, case, referral_form=form, status=422)
    if newcomer := form.newcomer():
        return _invite(request, case, form, newcomer)
    if attempt(
        request,
        refer_case,
        success="The case was referred.",
        case_id=case.pk,
        actor=request.user,
        referral_id=form.cleaned_data["referral_id"],
        wanted=form.request(),
    ):
        return _back(request, case.pk)
    return render_discussion(request, case, referral_form=form, status=422)


@duty_required("review_case")
@require_POST
def term(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Let the consultant see the case for longer, or for less long."""
    referral = get_referral(request.user, pk)
    form = TermForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose the last day.")
    else:
        attempt(
            request,
            change_term,
            success=f"{referral.consultant.name_with_title} sees the case until that day.",
            referral=referral,
            actor=request.user,
            **form.cleaned_data,
        )
    return _back(request, referral.case_id)


@duty_required("view_patient")
@require_POST
def withdraw(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the case out of the consultant's sight."""
    referral = get_referral(request.user, pk)
    form = WithdrawalForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason.")
    else:
        attempt(
            request,
            withdraw_referral,
            success=f"{referral.consultant.name_with_title} can't see the case any more.",
            referral=referral,
            actor=request.user,
            reason=form.cleaned_data["reason"],
        )
    return _back(request, referral.case_id)


@duty_required("review_case")
@require_POST
def quote(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Put the opinion into the interpretation, under its author's name."""
    opinion = get_opinion(request.user, pk)
    if attempt(request, quote_opinion, opinion=opinion, actor=request.user):
        messages.success(request, f"Quoted: {opinion}. Read the interpretation as it is now.")
    return redirect("classifier:review", opinion.referral.case_id)


@duty_required("review_case")
@require_POST
def print_in_report(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Have the report print the opinion's words, or not."""
    referral = get_referral(request.user, pk)
    attempt(
        request,
        print_opinion,
        referral=referral,
        actor=request.user,
        is_printed=request.POST.get("print") == "yes",
    )
    return _back(request, referral.case_id)


def _invite(
    request: MemberRequest, case: Case, form: ReferralForm, newcomer: Newcomer
) -> HttpResponse:
    """Invite and refer; the link waits in the session, to be shown on the next page once."""
    try:
        _, invitation = invite_and_refer(
            case_id=case.pk,
            actor=request.user,
            referral_id=form.cleaned_data["referral_id"],
            newcomer=newcomer,
            wanted=form.request(),
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        return render_discussion(request, case, referral_form=form, status=422)
    if invitation:
        request.session[INVITATION_LINK] = invitation.link
    messages.success(request, f"{newcomer.full_name} was invited and the case referred.")
    return redirect("consultation:discussion", case.pk)


def _back(request: MemberRequest, case_id: uuid.UUID) -> HttpResponse:
    """Return to the page that the form stood on: review, signing, or the discussion itself."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.path == reverse("classifier:review", args=[case_id]):
        return redirect(f"{came_from.path}?tab=discussion")
    if came_from.path == reverse("reports:sign_off", args=[case_id]):
        return redirect(came_from._replace(scheme="", netloc="").geturl())
    return redirect("consultation:discussion", case_id)
