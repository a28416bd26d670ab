"""Confirming who it is at the provider, for one form that signs: left, come back to, sent again.

The confirmation holds for what the form said, once, and for a few minutes: whoever changes a field
afterwards, or signs something else, confirms anew.
"""

import time
from dataclasses import dataclass
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.shortcuts import redirect, render

from accounts import audit
from accounts.models import User
from accounts.single_sign_on import attempts, session
from accounts.single_sign_on.attempts import Purpose
from accounts.single_sign_on.provider import Identity, ProviderUnreachable

_KEY = "sso_form"
# What proves who it is, and what guards the form: neither is part of what is signed.
_NOT_SIGNED = frozenset({"csrfmiddlewaretoken", "password", "code", "credential"})


@dataclass(frozen=True, slots=True)
class Confirmation:
    """That the person proved at the provider who they are, when, and whether with a factor."""

    at: float
    has_factor: bool


def without_password(form: forms.BaseForm, request: HttpRequest) -> None:
    """Ask for no password where the provider confirms who it is."""
    if session.came_by_provider(request):
        form.fields.pop("password", None)


def kept(request: HttpRequest) -> QueryDict | None:
    """Return what was entered on this page before it was left for the provider."""
    form = _form(request)
    return None if form is None else QueryDict(form["fields"])


def given(request: HttpRequest) -> Confirmation | None:
    """Return the confirmation for the form of this page, while it holds."""
    form = _form(request)
    if form is None or "at" not in form:
        return None
    is_old = time.time() - form["at"] > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return None if is_old else Confirmation(form["at"], form["has_factor"])


def confirmation_of(request: HttpRequest) -> Confirmation:
    """Return the confirmation for exactly what this form says.

    Raises:
        ImmediateHttpResponse: there is none; the response leads to the provider, and back here
            with what was entered.
    """
    fields = _fields(request)
    found = given(request)
    if found and _form(request) == _kept_form(request, fields) | _confirmed(found):
        return found
    request.session[_KEY] = _kept_form(request, fields)
    try:
        address = attempts.begin(request, Purpose.SIGN, request.path)
    except ProviderUnreachable as error:
        messages.error(request, f"{settings.OIDC_NAME} can't be reached. Nothing was signed.")
        raise ImmediateHttpResponse(redirect(request.path)) from error
    context = {"address": address, "name": settings.OIDC_NAME}
    raise ImmediateHttpResponse(render(request, "accounts/sso_going.html", context))


def use_up(request: HttpRequest) -> None:
    """Let a confirmation hold for one signature alone."""
    request.session.pop(_KEY, None)


def confirm(request: HttpRequest, *, actor: User, identity: Identity) -> None:
    """Note that the person came back confirmed, for the form that was left."""
    record(actor=actor, identity=identity)
    form = request.session.get(_KEY)
    if form is not None:
        found = Confirmation(time.time(), session.gives_factor(identity))
        request.session[_KEY] = form | _confirmed(found)


@transaction.atomic
def record(*, actor: User, identity: Identity) -> None:
    """Record that somebody signed in was confirmed by the provider, and by what."""
    after = {"factors": identity.factors}
    audit.record(actor=actor, action="sso.confirmed", target=actor, after=after)


@transaction.atomic
def record_failure(*, actor: User, why: str) -> None:
    """Record that somebody signed in was not confirmed by the provider."""
    action = "user.reauthentication_failed"
    audit.record(actor=actor, action=action, target=actor, after={"single_sign_on": why})


def _confirmed(found: Confirmation) -> dict[str, Any]:
    return {"at": found.at, "has_factor": found.has_factor}


def _form(request: HttpRequest) -> dict[str, Any] | None:
    form: dict[str, Any] | None = request.session.get(_KEY)
    here = form is not None and form["path"] == request.path and form["user"] == request.user.pk
    return form if here else None


def _kept_form(request: HttpRequest, fields: str) -> dict[str, Any]:
    return {"path": request.path, "user": request.user.pk, "fields": fields}


def _fields(request: HttpRequest) -> str:
    data = request.POST.copy()
    for name in _NOT_SIGNED:
        data.pop(name, None)
    return data.urlencode()
