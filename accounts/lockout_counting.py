"""How axes counts failures here: of an account from an address, and beside it of all of either."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.signals import user_locked_out
from django.http import HttpRequest

from accounts.context import client_address_of
from accounts.lockout import attempted_email, widespread_failures


class Counting(AxesDatabaseHandler):
    """Locks as axes does, and where failures over all addresses or all accounts are too many."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Tell whether this attempt is refused, whatever its password."""
        return super().is_locked(request, credentials) or bool(_widespread(request, credentials))

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """Count a failure; tell of the one with which an account or an address is locked."""
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is None or request.axes_locked_out:  # type: ignore[attr-defined]
            return
        failures = _widespread(request, credentials)
        if failures:
            request.axes_failures_since_start = failures  # type: ignore[attr-defined]
            request.axes_locked_out = True  # type: ignore[attr-defined]
            request.axes_credentials = credentials  # type: ignore[attr-defined]
            user_locked_out.send(
                "axes",
                request=request,
                username=attempted_email(request, credentials),
                ip_address=client_address_of(request),
            )


def _widespread(request: HttpRequest, credentials: dict[str, Any] | None) -> int:
    return widespread_failures(attempted_email(request, credentials), client_address_of(request))
