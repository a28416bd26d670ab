"""The discussion of a case: referrals, opinions and comments, as a page and inside the review."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_read
from classifier.exceptions import DomainError
from classifier.models import Case
from classifier.selectors.intake import get_case
from classifier.views.access import MemberRequest, attempt, duty_required
from consultation import policies
from consultation.forms import CommentForm, ReferralForm
from consultation.selectors import discussion as selectors
from consultation.selectors.people import consultant_choices, member_choices
from consultation.selectors.referrals import list_referrals
from consultation.services.discussion import TEXT_LIMIT, comment, retract

INVITATION_LINK = "consultation.invitation_link"


@duty_required("view_patient")
@never_cache
@require_GET
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what was said of a case and to whom it was referred; inside a page, only that part."""
    case = get_case(request.user, pk)
    record_read(actor=request.user, patient=case.patient)
    return render_discussion(request, case)


@duty_required("view_patient")
@never_cache
@require_GET
def talk(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the changing part; nothing (204) if it stands where the page last saw it."""
    case = get_case(request.user, pk)
    if request.GET.get("seen") == selectors.token_of(case):
        return HttpResponse(status=204)
    return render(request, "consultation/partials/_talk.html", _talk(request, case))


@duty_required("discuss_case")
@require_POST
def add(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a comment; the page's script gets the discussion as it now stands, or the refusal."""
    case = get_case(request.user, pk)
    form = CommentForm(request.POST, people=member_choices(request.user))
    problem = "" if form.is_valid() else _first_error(form)
    if not problem:
        try:
            comment(
                case=case,
                actor=request.user,
                comment_id=form.cleaned_data["comment_id"],
                remark=form.remark(),
            )
        except DomainError as refusal:
            problem = str(refusal)
    if not _is_scripted(request):
        if problem:
            messages.error(request, problem)
            return render_discussion(request, case, comment_form=form, status=422)
        return redirect("consultation:discussion", case.pk)
    if problem:
        return HttpResponse(problem, status=422, content_type="text/plain; charset=utf-8")
    return render(request, "consultation/partials/_talk.html", _talk(request, case))


@duty_required("discuss_case")
@require_POST
def take_back(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Retract one's own comment."""
    written = selectors.get_comment(request.user, pk)
    attempt(request, retract, comment=written, actor=request.user)
    if _is_scripted(request):
        return render(request, "consultation/partials/_talk.html", _talk(request, written.case))
    return redirect("consultation:discussion", written.case_id)


def render_discussion(
    request: MemberRequest,
    case: Case,
    *,
    referral_form: ReferralForm | None = None,
    comment_form: CommentForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the discussion with the forms that this person may fill in."""
    part = "partials/_discussion.html" if _is_scripted(request) else "discussion.html"
    may_refer = policies.can_refer(request.user, case)
    consultants = consultant_choices(request.user) if may_refer else []
    context = _talk(request, case) | {
        "patient": case.patient,
        "may_refer": may_refer,
        "consultants": consultants,
        "invitation_link": request.session.pop(INVITATION_LINK, ""),
        "referral_form": referral_form or ReferralForm(consultants=consultants),
        "may_comment": policies.can_comment(request.user, case),
        "comment_form": comment_form,
        "comment_id": uuid.uuid4(),
        "comment_limit": TEXT_LIMIT,
        "people": member_choices(request.user),
        "places": _places(request, case),
    }
    return render(request, f"consultation/{part}", context, status=status)


def _talk(request: MemberRequest, case: Case) -> dict[str, Any]:
    return {
        "case": case,
        "referrals": list_referrals(case, request.user),
        "threads": selectors.list_threads(case, request.user),
        "token": selectors.token_of(case),
        "term_id": uuid.uuid4(),
        "today": timezone.localdate(),
    }


def _places(request: MemberRequest, case: Case) -> list[tuple[str, str]]:
    """Return what can be commented on: the case, the cell that the address names, the fields."""
    places = [("case", "the case")]
    try:
        cell_id = uuid.UUID(request.GET.get("cell", ""))
        places.append((f"cell-{cell_id}", selectors.describe_place(case, cell_id, None).lower()))
    except (ValueError, KeyError):
        pass
    fields = case.images.filter(kind="field")
    return places + [(f"field-{image.pk}", f"field {image.original_name}") for image in fields]


def _is_scripted(request: MemberRequest) -> bool:
    return bool(request.htmx) or request.headers.get("X-Requested-With") == "fetch"


def _first_error(form: CommentForm) -> str:
    return next((str(error) for errors in form.errors.values() for error in errors), "")
