"""Pages on which administrators review who may do what."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access_reviews, policies
from accounts.exceptions import AccountError
from accounts.forms import DayForm
from accounts.models import AccessDecision, AccessReview
from accounts.roles import DUTIES
from accounts.views.access import allowed_to, signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@allowed_to(policies.can_manage_users)
def review_list(request: HttpRequest) -> HttpResponse:
    """List the reviews, and open one."""
    form = DayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            review = access_reviews.open_review(
                actor=signed_in(request),
                review_id=form.cleaned_data["review_id"] or uuid.uuid4(),
                due_on=form.cleaned_data["day"],
            )
        except AccountError as error:
            form.add_error(None, str(error))
        else:
            return redirect(review)
    reviews = AccessReview.objects.select_related("opened_by", "finished_by")
    context = {
        "form": form,
        "reviews": reviews,
        "review_id": uuid.uuid4(),
        "has_open": reviews.filter(finished_at__isnull=True).exists(),
        "overdue": access_reviews.overdue_since(),
    }
    return render(request, "accounts/access_reviews.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed_to(policies.can_manage_users)
def review_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a review; say of the chosen accounts whether they stay."""
    review = get_object_or_404(AccessReview, pk=pk)
    if request.method == "POST":
        return _decided(request, review)
    lines = access_reviews.list_lines(review)
    context = {
        "review": review,
        "lines": lines,
        "left": review.lines.filter(decisions__isnull=True).count(),
        "duties": DUTIES,
        "form": DayForm(),
    }
    return render(request, "accounts/access_review.html", context)


def _decided(request: HttpRequest, review: AccessReview) -> HttpResponse:
    verdict = request.POST.get("verdict", "")
    if verdict not in AccessDecision.Verdict.values:
        messages.error(request, "Say whether the accounts stay or were changed.")
        return redirect(review)
    chosen = [int(value) for value in request.POST.getlist("line") if value.isdecimal()]
    try:
        count = access_reviews.decide(
            actor=signed_in(request),
            review=review,
            line_ids=chosen,
            verdict=verdict,
            reason=request.POST.get("reason", ""),
        )
    except AccountError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Accounts reviewed: {count}.")
    return redirect(review)


@require_POST
@allowed_to(policies.can_manage_users)
def review_finish(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Finish a review, and say when the next is due."""
    review = get_object_or_404(AccessReview, pk=pk)
    form = DayForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say when the next review is due.")
        return redirect(review)
    try:
        access_reviews.finish(
            actor=signed_in(request), review=review, next_due_on=form.cleaned_data["day"]
        )
    except AccountError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The review is finished.")
    return redirect(review)


@require_safe
@allowed_to(policies.can_manage_users)
def review_export(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Send a review as CSV."""
    review = get_object_or_404(AccessReview, pk=pk)
    text = access_reviews.export(actor=signed_in(request), review=review)
    name = f"access-review-{review.opened_at:%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
