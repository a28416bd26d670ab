"""Asks whoever opens an emergency account what for."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import emergency
from accounts.middleware import GetResponse, send_elsewhere
from accounts.second_factor_middleware import SecondFactorMiddleware


class EmergencyMiddleware:
    """Lets an emergency account give its reason, sign out, and nothing else before that."""

    ALLOWED = SecondFactorMiddleware.ALLOWED | {"accounts:emergency_reason"}

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not emergency.must_say_why(request) or self._is_allowed(request):
            return self.get_response(request)
        return send_elsewhere(request, reverse("accounts:emergency_reason"))

    def _is_allowed(self, request: HttpRequest) -> bool:
        return request.path in {reverse(name) for name in self.ALLOWED}
