"""Pages on which people make and revoke their tokens; administrators see everybody's."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.authentication import PasswordCheck, verify_password
from accounts.single_sign_on.confirming import (
    confirmation_of,
    kept,
    use_up,
    without_password,
)
from accounts.single_sign_on.session import came_by_provider
from accounts.views.access import allowed_to, signed_in
from api import policies
from api.exceptions import TokenRefused
from api.forms import TokenForm
from api.models import ApiToken
from api.services.tokens import NewToken, create_token, revoke_token

ON_A_PAGE = 25
NOT_CONFIRMED = {
    PasswordCheck.WRONG: "The password is not right.",
    PasswordCheck.LOCKED: "Too many wrong passwords: your account is locked.",
}

members_only = allowed_to(policies.can_hold_tokens)  # type: ignore[arg-type]


@require_safe
@never_cache
@members_only
def token_list(request: HttpRequest) -> HttpResponse:
    """Show one's tokens; to administrators, on demand, everybody's."""
    user = signed_in(request)
    sees_all = policies.can_see_all_tokens(user)
    shows_all = sees_all and "all" in request.GET
    found = ApiToken.objects.visible_to(user).select_related("owner", "revoked_by")
    tokens = found if shows_all else found.filter(owner=user)
    page = Paginator(tokens, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "sees_all": sees_all,
        "shows_all": shows_all,
        "query": "all=1" if shows_all else "",
    }
    return render(request, "api/tokens.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@never_cache
@members_only
def token_new(request: HttpRequest) -> HttpResponse:
    """Make a token: its text is in this answer and nowhere else."""
    user = signed_in(request)
    entered = kept(request)
    initial: dict[str, Any] = {"token_id": uuid.uuid4()}
    if entered is not None:
        initial = entered.dict() | {"scopes": entered.getlist("scopes")}
    form = TokenForm(request.POST or None, user=user, initial=initial)
    without_password(form, request)
    if request.method == "POST" and form.is_valid():
        made = _make(request, form)
        if made is not None:
            return render(request, "api/token_made.html", {"made": made})
    status = 422 if form.errors else 200
    return render(request, "api/token_new.html", {"form": form}, status=status)


def _make(request: HttpRequest, form: TokenForm) -> NewToken | None:
    user = signed_in(request)
    if not _is_confirmed(request, form):
        return None
    details: dict[str, Any] = form.details()
    try:
        return create_token(actor=user, **details)
    except TokenRefused as refusal:
        form.add_error(None, str(refusal))
        return None


def _is_confirmed(request: HttpRequest, form: TokenForm) -> bool:
    """Check the password; who came from the identity provider is led there instead, and back."""
    if came_by_provider(request):
        confirmation_of(request)
        use_up(request)
        return True
    answer = verify_password(request, signed_in(request), form.cleaned_data["password"])
    if answer != PasswordCheck.CONFIRMED:
        form.add_error("password", NOT_CONFIRMED[answer])
    return answer == PasswordCheck.CONFIRMED


@require_POST
@members_only
def token_revoke(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """End a token at once."""
    user = signed_in(request)
    token = get_object_or_404(ApiToken.objects.visible_to(user), pk=pk)
    revoke_token(token_id=token.pk, actor=user)
    messages.success(request, f"The token “{token.name}” opens nothing any more.")
    here = redirect("api:tokens")
    if token.owner_id != user.pk:
        here["Location"] += "?all=1"
    return here
