"""The door of passwords, where the laboratory has closed it to all but emergency accounts."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import emergency
from accounts.models import User


class LocalDoor:
    """Stands before the check of passwords; open, it does nothing.

    It knows nobody, so that no session is ever laid to it.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        email: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Refuse closed accounts and unknown ones alike, for the work of checking a password."""
        user = User.objects.filter(email=(email or "").strip().lower()).first()
        if password is None or not emergency.is_closed_to(user):
            return
        User().set_password(password)
        raise PermissionDenied
