"""The consultant's pages: what was referred, one referred case, the opinion on it."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classifier.exceptions import DomainError, EditConflict, NotPermitted
from classifier.selectors.class_keys import CLASS_KEYS
from classifier.views.access import MemberRequest, duty_required
from consultation.forms import OpinionForm
from consultation.models import OpinionDraft, Referral
from consultation.selectors.consultations import (
    ReferredCase,
    describe_case,
    get_consultation,
    list_consultations,
)
from consultation.selectors.referrals import view_opinions
from consultation.services.opinions import (
    STATEMENT,
    Words,
    give_opinion,
    revision_of,
    save_draft,
    words_of,
)
from consultation.services.reading import open_referral


@duty_required("give_opinion")
@never_cache
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List what waits for this person's opinion, what is answered and what has ended."""
    shelf = list_consultations(request.user)
    return render(request, "consultation/consultations.html", {"shelf": shelf})


@duty_required("give_opinion")
@never_cache
@require_GET
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the referred case and what the consultant has written."""
    referral = get_consultation(request.user, pk)
    open_referral(referral=referral, actor=request.user)
    words = words_of(OpinionDraft.objects.filter(referral=referral).first())
    return _page(request, referral, words)


@duty_required("give_opinion")
@require_POST
def draft(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Save the draft: by itself while the consultant writes, or by the plain button."""
    referral = get_consultation(request.user, pk)
    form = OpinionForm(request.POST)
    problem = "" if form.is_valid() else _first_error(form)
    revision = request.POST.get("revision", "")
    if not problem:
        try:
            saved = save_draft(
                referral=referral, actor=request.user, words=form.words(), revision=revision
            )
        except NotPermitted as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except DomainError as refusal:
            problem = str(refusal)
        else:
            revision = revision_of(words_of(saved))
    if request.htmx:
        context = {"revision": revision, "problem": problem, "is_saved": not problem}
        return render(request, "consultation/partials/_draft_state.html", context)
    if problem:
        messages.error(request, problem)
        return _page(request, referral, _as_written(request), status=409)
    messages.success(request, "Draft saved. Only you can see it.")
    return redirect("consultation:consultation", referral.pk)


@duty_required("give_opinion")
@require_POST
def answer(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give the opinion; refused, the page keeps what was written."""
    referral = get_consultation(request.user, pk)
    form = OpinionForm(request.POST)
    if not form.is_valid() or form.cleaned_data["opinion_id"] is None:
        messages.error(request, _first_error(form) or "Open the page again.")
        return _page(request, referral, _as_written(request), status=422)
    try:
        give_opinion(
            referral=referral,
            actor=request.user,
            opinion_id=form.cleaned_data["opinion_id"],
            words=form.words(),
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        messages.error(request, str(refusal))
        status = 409 if isinstance(refusal, EditConflict) else 422
        return _page(request, referral, _as_written(request), status=status)
    messages.success(request, "Your opinion was given. Thank you.")
    return redirect("consultation:consultation", referral.pk)


def _page(
    request: MemberRequest, referral: Referral, words: Words, *, status: int = 200
) -> HttpResponse:
    """Render the page from what the consultant may see; the case itself stays out of reach."""
    seen = describe_case(referral, request.user)
    stored = words_of(OpinionDraft.objects.filter(referral=referral).first())
    context: dict[str, Any] = {
        "seen": seen,
        "referral": referral,
        "opinions": view_opinions(list(referral.opinions.all())),
        "words": words,
        "revision": revision_of(stored),
        "opinion_id": uuid.uuid4(),
        "classes": _classes(seen, words),
        "statement": STATEMENT,
    }
    return render(request, "consultation/consultation.html", context, status=status)


def _classes(seen: ReferredCase, words: Words) -> list[tuple[str, str, str]]:
    """Return code, name and remark of the classes that were seen or remarked on."""
    shown = {cell.finding for group in seen.groups for cell in group.cells}
    shown |= set(words.impressions)
    return [
        (item.cell_type.value, item.label, words.impressions.get(item.cell_type, ""))
        for item in CLASS_KEYS
        if item.cell_type in shown
    ]


def _as_written(request: MemberRequest) -> Words:
    """Return what was sent, however wrong, so that nobody types it twice."""
    impressions = {
        item.cell_type.value: request.POST.get(f"impression-{item.cell_type}", "")
        for item in CLASS_KEYS
    }
    text, diagnosis = request.POST.get("text", ""), request.POST.get("diagnosis", "")
    return Words(text, diagnosis, {name: said for name, said in impressions.items() if said})


def _first_error(form: OpinionForm) -> str:
    return next((str(error) for errors in form.errors.values() for error in errors), "")
