"""Leads whoever must have a second factor, and has none, to set one up."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.middleware import GetResponse, send_elsewhere
from accounts.single_sign_on.session import has_factor


class SecondFactorMiddleware:
    """Lets such a person set up a factor, change the password, sign out, and nothing else."""

    ALLOWED = frozenset(
        {
            "account_change_password",
            "account_logout",
            "account_reauthenticate",
            "sso_confirm",
            "sso_callback",
        }
    )

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not getattr(request.user, "must_set_up_factor", False) or self._is_allowed(request):
            return self.get_response(request)
        if has_factor(request):
            return self.get_response(request)
        return send_elsewhere(request, reverse("mfa_index"))

    def _is_allowed(self, request: HttpRequest) -> bool:
        factors = reverse("mfa_index")
        return request.path.startswith(factors) or request.path in {
            reverse(name) for name in self.ALLOWED
        }
