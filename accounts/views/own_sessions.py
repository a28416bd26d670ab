"""The page on which people see and end their own sessions."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import own_sessions
from accounts.exceptions import AccountError
from accounts.open_sessions import handle_of, list_sessions
from accounts.views.access import signed_in


@require_http_methods(["GET", "HEAD"])
@login_required
def session_list(request: HttpRequest) -> HttpResponse:
    """Show where the reader is signed in, this session first."""
    here = handle_of(request.session.session_key or "")
    sessions = sorted(list_sessions([signed_in(request)]), key=lambda one: one.handle != here)
    context = {"sessions": sessions, "here": here}
    return render(request, "accounts/own_sessions.html", context)


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required(allow_get=True)
def session_end(request: HttpRequest, handle: str) -> HttpResponse:
    """Sign out of one session, after confirming who it is; who only comes by sees the list."""
    if request.method == "GET":
        return redirect("own_sessions")
    try:
        own_sessions.end_own_session(actor=signed_in(request), handle=handle)
    except AccountError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "You are signed out there.")
    return redirect("own_sessions")


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required(allow_get=True)
def others_end(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere else, after confirming who it is; who only comes by sees the list."""
    if request.method == "GET":
        return redirect("own_sessions")
    key = request.session.session_key or ""
    ended = own_sessions.end_own_sessions_but(actor=signed_in(request), key=key)
    messages.success(request, f"You are signed out everywhere else; sessions ended: {ended}.")
    return redirect("own_sessions")
