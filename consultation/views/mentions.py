"""What a member is mentioned in, and answers to the member's own referrals."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_reads
from classifier.enums import REVIEWABLE
from classifier.models import Case
from classifier.views.access import MemberRequest, duty_required
from consultation.selectors.discussion import get_mention, list_mentions
from consultation.selectors.referrals import get_referral
from consultation.selectors.waiting import count_waiting, list_answers
from consultation.services.discussion import mark_read
from consultation.services.opinions import mark_answer_read
from notifications.selectors import count_unread


@duty_required("discuss_case")
@never_cache
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List the mentions, unread first, and the answers that came."""
    mentions, answers = list_mentions(request.user), list_answers(request.user)
    cases = [*(each.comment.case for each in mentions), *(each.case for each in answers)]
    patients = {case.patient_id: case.patient for case in cases}
    record_reads(actor=request.user, patients=patients.values())
    context = {
        "mentions": mentions,
        "answers": answers,
        "unread": count_waiting(request.user).mentions,
    }
    return render(request, "consultation/mentions.html", context)


@login_required
@never_cache
@require_GET
def waiting(request: MemberRequest) -> JsonResponse:
    """Return the numbers in the bar at the top, which asks for them once a page is shown."""
    found = count_waiting(request.user)
    return JsonResponse(
        {
            "news": found.news,
            "consultations": found.consultations,
            "notices": count_unread(request.user),
        }
    )


@duty_required("discuss_case")
@require_POST
def open_mention(request: MemberRequest, pk: int) -> HttpResponse:
    """Note that it was read and go where it was written."""
    mention = get_mention(request.user, pk)
    mark_read(user=request.user, mention_ids=[mention.pk])
    comment = mention.comment
    cell = f"cell={comment.cell_id}" if comment.cell_id else ""
    return redirect(_address(comment.case, cell))


@duty_required("review_case")
@require_POST
def open_answer(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Note that the answer was read and go to the case."""
    referral = get_referral(request.user, pk)
    mark_answer_read(referral=referral, actor=request.user)
    return redirect(_address(referral.case, ""))


@duty_required("discuss_case")
@require_POST
def read_all(request: MemberRequest) -> HttpResponse:
    """Note that all mentions were read."""
    if mark_read(user=request.user):
        messages.success(request, "All mentions are marked as read.")
    return redirect("consultation:mentions")


def _address(case: Case, query: str) -> str:
    """Return the discussion beside the cells, or by itself where there is no review page yet."""
    if case.status not in REVIEWABLE:
        return reverse("consultation:discussion", args=[case.pk])
    parts = "&".join(part for part in (query, "tab=discussion") if part)
    return f"{reverse('classifier:review', args=[case.pk])}?{parts}"
