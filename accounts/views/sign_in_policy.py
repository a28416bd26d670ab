"""The page on which administrators set how people sign in."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import policies, selectors
from accounts.exceptions import AccountError
from accounts.forms import ReasonForm
from accounts.lockout import lock_outs
from accounts.sign_in_policy import SignInPolicy, current_policy
from accounts.sign_in_policy_forms import SignInPolicyForm
from accounts.sign_in_policy_services import require_new_passwords, set_sign_in_policy
from accounts.views.access import allowed_to, signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@allowed_to(policies.can_manage_users)
def sign_in_policy(request: HttpRequest) -> HttpResponse:
    """Show the rules, whom they hold up, who is locked out and earlier versions; set new ones."""
    policy = current_policy()
    form = SignInPolicyForm.showing(policy, request.POST or None)
    if form.is_valid():
        try:
            set_sign_in_policy(
                actor=signed_in(request), rules=form.rules(), reason=form.cleaned_data["reason"]
            )
        except AccountError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The rules have been set.")
            return redirect("accounts:sign_in_policy")
    context = {
        "policy": policy,
        "form": form,
        "waiting": selectors.waiting_for_factor(),
        "locked": lock_outs(),
        "provider": selectors.provider_state(),
        "versions": SignInPolicy.objects.select_related("set_by")[:50],
    }
    status = 422 if form.is_bound else 200
    return render(request, "accounts/sign_in_policy.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed_to(policies.can_manage_users)
def new_passwords(request: HttpRequest) -> HttpResponse:
    """Ask why everybody needs a new password, then require it; the administrator's goes too."""
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            count = require_new_passwords(
                actor=signed_in(request), reason=form.cleaned_data["reason"]
            )
        except AccountError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"A new password is required of {count} people, you too.")
            return redirect("account_login")
    status = 422 if form.is_bound else 200
    return render(request, "accounts/new_passwords.html", {"form": form}, status=status)
