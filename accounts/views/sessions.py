"""Joining by invitation, and keeping a session in use alive."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import emergency, invitations, services
from accounts.exceptions import InvitationInvalid, WrongState
from accounts.forms import JoinForm, ReasonForm
from accounts.views.access import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "password_again")
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Let an invited person set name and password, once; they sign in with them afterwards."""
    try:
        account = invitations.read_invitation(token)
        initial = {"full_name": account.full_name, "title": account.title}
        form = JoinForm(request.POST or None, user=account, initial=initial)
        if form.is_valid():
            services.accept_invitation(
                token=token,
                full_name=form.cleaned_data["full_name"],
                title=form.cleaned_data["title"],
                password=form.cleaned_data["password"],
            )
            messages.success(request, "Your account is ready. Sign in with your new password.")
            return redirect("account_login")
    except InvitationInvalid as error:
        return render(request, "accounts/join_refused.html", {"error": str(error)}, status=410)
    except WrongState as error:
        form.add_error(None, str(error))
    context = {"form": form, "account": account, "is_closed": emergency.is_closed_to(account)}
    return render(request, "accounts/join.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def emergency_reason(request: HttpRequest) -> HttpResponse:
    """Ask whoever opened an emergency account what for; until then it opens nothing else."""
    if not emergency.must_say_why(request):
        return redirect(settings.LOGIN_REDIRECT_URL)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        emergency.say_why(request, actor=signed_in(request), reason=form.cleaned_data["reason"])
        return redirect(settings.LOGIN_REDIRECT_URL)
    status = 422 if form.is_bound else 200
    return render(request, "accounts/emergency_reason.html", {"form": form}, status=status)


@require_POST
@login_required
def keep_alive(request: HttpRequest) -> HttpResponse:
    """Count as activity: sent by pages whose reader works without asking the server anything."""
    return HttpResponse(status=204)
