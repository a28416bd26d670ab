"""Guarding of the administration pages by policy."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User

View = Callable[..., HttpResponseBase]


def allowed_to(policy: Callable[[User | AnonymousUser], bool]) -> Callable[[View], View]:
    """Serve a page to those a policy allows; others get 403, strangers the sign-in page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not policy(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return login_required(guarded)

    return decorate


def signed_in(request: HttpRequest) -> User:
    """Return the person a guarded page is served to."""
    return cast("User", request.user)
