"""The door of every page: who comes in, and how a refusal reaches the person."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import Case, Patient


class MemberRequest(HttpRequest):
    """A request by somebody who is signed in."""

    user: User
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def duty_required(codename: str) -> Callable[[View], View]:
    """Let in whoever holds the duty; others see the log-in page, or 403 once signed in."""

    def decorate(view: View) -> View:
        guarded = permission_required(f"accounts.{codename}", raise_exception=True)(view)
        return login_required(guarded)

    return decorate


def leading_to_restricted(kind: str) -> Callable[[View], View]:
    """Lead who finds nothing, as the patient's or case's record is restricted, to its door.

    ``kind`` is "patient" or "case": what the view's ``pk`` names.
    """
    model: type[Patient | Case] = Patient if kind == "patient" else Case

    def decorate(view: View) -> View:
        @wraps(view)
        def show(request: MemberRequest, pk: uuid.UUID, **more: Any) -> HttpResponseBase:
            try:
                return view(request, pk, **more)
            except Http404:
                closed = model.objects.restricted_for(request.user).filter(pk=pk)
                if request.method != "GET" or request.htmx or not closed.exists():
                    raise
                return redirect(f"classifier:{kind}_restricted", pk)

        return show

    return decorate


def attempt(
    request: HttpRequest,
    service: Callable[..., Any],
    *,
    success: str = "",
    passed_on: type[DomainError] | tuple[()] = (),
    **arguments: Any,
) -> bool:
    """Call a service and tell the person how it went; a missing permission is a 403.

    A refusal that is to be passed on is left to the caller.
    """
    try:
        service(**arguments)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except passed_on:
        raise
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return False
    if success:
        messages.success(request, success)
    return True
