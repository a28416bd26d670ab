"""Going to the identity provider and coming back: signing in, joining, connecting, confirming."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url, perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.exceptions import AccountError
from accounts.models import User
from accounts.single_sign_on import attempts, confirming, provider, services, session
from accounts.single_sign_on.attempts import Attempt, Purpose
from accounts.single_sign_on.forms import ProviderJoinForm
from accounts.single_sign_on.provider import Identity, IdentityRefused, ProviderUnreachable
from accounts.views.access import signed_in

_NEWCOMER, _NEWCOMER_SECONDS = "sso_newcomer", 15 * 60
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def _where_configured(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Serve a page only where the site has a provider."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not provider.is_configured():
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_POST
@never_cache
@_where_configured
def start(request: HttpRequest) -> HttpResponse:
    """Go to the provider to sign in."""
    wanted = get_next_redirect_url(request) or settings.LOGIN_REDIRECT_URL
    return _go(request, Purpose.SIGN_IN, wanted, settings.LOGIN_URL)


@require_GET
@never_cache
@_where_configured
def callback(request: HttpRequest) -> HttpResponse:
    """Come back from the provider; nothing in the address is believed before it is checked."""
    try:
        attempt = attempts.take(request)
    except IdentityRefused as refusal:
        services.record_refusal(why=str(refusal), user=None)
        messages.error(request, "This sign-in was already used, or took too long. Try again.")
        return redirect(settings.LOGIN_REDIRECT_URL)
    try:
        identity = attempts.identity_from(request, attempt)
        return _ARRIVALS[Purpose(attempt.purpose)](request, attempt, identity)
    except (IdentityRefused, ProviderUnreachable) as refusal:
        return _refuse(request, attempt, str(refusal))


def _sign_in(request: HttpRequest, attempt: Attempt, identity: Identity) -> HttpResponse:
    try:
        user = services.account_of(identity)
    except services.MustJoin:
        request.session[_NEWCOMER] = {"identity": asdict(identity), "at": time.time()}
        return redirect("sso_join")
    except services.NotLetIn as refusal:
        services.record_refusal(why=refusal.why, user=refusal.user, identity=identity)
        messages.error(request, str(refusal))
        return redirect(settings.LOGIN_URL)
    return _let_in(request, user, identity, attempt.next)


def _let_in(request: HttpRequest, user: User, identity: Identity, wanted: str) -> HttpResponse:
    session.note(request, user, identity)
    user.backend = _BACKEND
    record_authentication(request, user, method="sso")
    return perform_login(request, user, redirect_url=wanted)


def _connect(request: HttpRequest, attempt: Attempt, identity: Identity) -> HttpResponse:
    try:
        services.connect(actor=signed_in(request), identity=identity)
    except AccountError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"From now on you can sign in with {settings.OIDC_NAME}.")
    return redirect("sso_connect")


def _confirm(request: HttpRequest, attempt: Attempt, identity: Identity) -> HttpResponse:
    user = _same_person(request, identity)
    record_authentication(request, user, method="sso", reauthenticated=True)
    confirming.record(actor=user, identity=identity)
    return redirect(attempt.next)


def _sign(request: HttpRequest, attempt: Attempt, identity: Identity) -> HttpResponse:
    user = _same_person(request, identity)
    confirming.confirm(request, actor=user, identity=identity)
    return redirect(attempt.next)


_ARRIVALS = {
    Purpose.SIGN_IN: _sign_in,
    Purpose.CONNECT: _connect,
    Purpose.CONFIRM: _confirm,
    Purpose.SIGN: _sign,
}


def _same_person(request: HttpRequest, identity: Identity) -> User:
    user = signed_in(request)
    if not services.is_of(user, identity):
        raise IdentityRefused("another person")
    return user


def _refuse(request: HttpRequest, attempt: Attempt, why: str) -> HttpResponse:
    """Say that the provider proved nothing, where the person came from; nothing has changed."""
    if attempt.user_id is None:
        services.record_refusal(why=why, user=None)
        messages.error(request, f"You were not signed in at {settings.OIDC_NAME}. Try again.")
        return redirect(settings.LOGIN_URL)
    confirming.record_failure(actor=signed_in(request), why=why)
    undone = "Nothing was signed." if attempt.purpose == Purpose.SIGN else "Nothing was changed."
    messages.error(request, f"You were not confirmed at {settings.OIDC_NAME}. {undone}")
    return redirect(attempt.next)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@_where_configured
def join(request: HttpRequest) -> HttpResponse:
    """Let somebody who came from the provider for the first time open the account."""
    kept = request.session.get(_NEWCOMER)
    if kept is None or time.time() - kept["at"] > _NEWCOMER_SECONDS:
        messages.error(request, f"Sign in with {settings.OIDC_NAME} first.")
        return redirect(settings.LOGIN_URL)
    identity = _restored(kept["identity"])
    try:
        newcomer = services.newcomer_of(identity)
        form = ProviderJoinForm(request.POST or None, initial=_names(newcomer, identity))
        if form.is_valid():
            details = {name: form.cleaned_data[name] for name in ("full_name", "title")}
            user = services.join(identity=identity, **details)
            del request.session[_NEWCOMER]
            return _let_in(request, user, identity, settings.LOGIN_REDIRECT_URL)
    except services.NotLetIn as refusal:
        services.record_refusal(why=refusal.why, user=refusal.user, identity=identity)
        messages.error(request, str(refusal))
        return redirect(settings.LOGIN_URL)
    context = {"form": form, "email": identity.email, "role": newcomer.role.label}
    status = 422 if form.errors else 200
    return render(request, "accounts/sso_join.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@_where_configured
def connect(request: HttpRequest) -> HttpResponseBase:
    """Show whether one's account is connected with the provider; connect it."""
    if request.method == "POST":
        return _begin_connecting(request)
    link = services.link_of(signed_in(request))
    return render(request, "accounts/sso_connect.html", {"link": link, "name": settings.OIDC_NAME})


@reauthentication_required
def _begin_connecting(request: HttpRequest) -> HttpResponse:
    return _go(request, Purpose.CONNECT, "", "sso_connect")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@_where_configured
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm who it is at the provider, before something that asks for that."""
    wanted = get_next_redirect_url(request) or settings.LOGIN_REDIRECT_URL
    if request.method == "POST":
        return _go(request, Purpose.CONFIRM, wanted, wanted)
    context = {"name": settings.OIDC_NAME, "next": wanted}
    return render(request, "accounts/sso_confirm.html", context)


@require_GET
@never_cache
@_where_configured
def signed_out(request: HttpRequest) -> HttpResponse:
    """After signing out here: end the session at the provider too, where it offers that."""
    try:
        address = provider.address_for_sign_out(settings.SITE_URL + reverse(settings.LOGIN_URL))
    except ProviderUnreachable:
        address = None
    if request.user.is_authenticated or address is None:
        return redirect(settings.LOGIN_URL)
    context = {"address": address, "name": settings.OIDC_NAME, "is_leaving": True}
    return render(request, "accounts/sso_going.html", context)


def _go(request: HttpRequest, purpose: Purpose, wanted: str, back: str) -> HttpResponse:
    """Lead to the provider by a page of our own: a form may not lead to another site by itself."""
    try:
        address = attempts.begin(request, purpose, wanted)
    except ProviderUnreachable:
        name = settings.OIDC_NAME
        messages.error(request, f"{name} can't be reached now. Try again, or use another way.")
        return redirect(back)
    context = {"address": address, "name": settings.OIDC_NAME}
    return render(request, "accounts/sso_going.html", context)


def _names(newcomer: services.Newcomer, identity: Identity) -> dict[str, str]:
    if newcomer.user is None:
        return {"full_name": identity.name}
    return {"full_name": newcomer.user.full_name, "title": newcomer.user.title}


def _restored(kept: dict[str, Any]) -> Identity:
    """Return an identity as it was before the session turned its tuples into lists."""
    return Identity(**kept | {name: tuple(kept[name]) for name in ("groups", "factors")})
