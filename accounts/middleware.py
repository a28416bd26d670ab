"""What every request passes: its context, the end of idle sessions, demanded passwords, caches."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from accounts import context
from accounts.single_sign_on.session import came_by_provider

GetResponse = Callable[[HttpRequest], HttpResponse]

LAST_ACTIVITY = "last_activity"
# Storing each request's moment would write every session all the time.
ACTIVITY_RESOLUTION_SECONDS = 15


class RequestContextMiddleware:
    """Gives each request an id and an address, and tells the caller the id."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = context.request_id_of(request)
        # Logs take the id from here.
        request.META["HTTP_X_REQUEST_ID"] = request_id
        with context.request_context(
            request_id=request_id, client_address=context.client_address_of(request)
        ):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class IdleLogoutMiddleware:
    """Ends sessions nobody uses. Requests a page makes by itself say so and are not use."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        now = int(time.time())
        last = request.session.get(LAST_ACTIVITY, now)
        if now - last >= settings.IDLE_LOGOUT_SECONDS:
            return self._end(request)
        is_background = request.headers.get("X-Background") == "1"
        is_due = now - last >= ACTIVITY_RESOLUTION_SECONDS or LAST_ACTIVITY not in request.session
        if is_due and not is_background:
            request.session[LAST_ACTIVITY] = now
        return self.get_response(request)

    def _end(self, request: HttpRequest) -> HttpResponse:
        request.session_timed_out = True  # type: ignore[attr-defined]
        logout(request)
        minutes = settings.IDLE_LOGOUT_SECONDS // 60
        messages.warning(request, f"You were signed out after {minutes} minutes without activity.")
        return send_elsewhere(request, login_address(request))


class PasswordChangeMiddleware:
    """Lets a person whose password has to change do that, sign out, and nothing else.

    Who came from the identity provider used no password; theirs still opens nothing until changed.
    """

    ALLOWED = frozenset({"account_change_password", "account_logout"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not getattr(request.user, "must_change_password", False) or came_by_provider(request):
            return self.get_response(request)
        if request.path in {reverse(name) for name in self.ALLOWED}:
            return self.get_response(request)
        return send_elsewhere(request, reverse("account_change_password"))


class PrivateAnswersMiddleware:
    """Lets nobody keep what was shown to a person signed in, unless the answer says for itself.

    The answer that ends a session has the browser forget what it kept all the same: pictures,
    and what scripts stored.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_signed_in = request.user.is_authenticated
        response = self.get_response(request)
        if is_signed_in and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        if is_signed_in and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response


def login_address(request: HttpRequest) -> str:
    """Return where to sign in so as to come back to the page being read."""
    here = request.get_full_path() if request.method == "GET" else "/"
    if request.headers.get("HX-Request"):
        here = request.headers.get("HX-Current-URL", "/")
    return redirect_to_login(here).url


def send_elsewhere(request: HttpRequest, address: str) -> HttpResponse:
    """Redirect the way the caller understands: a page, a fragment, or a program."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    if not request.accepts("text/html"):
        return JsonResponse({"detail": "Sign in again.", "login": address}, status=401)
    return redirect(address)
