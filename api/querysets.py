"""Recurring selections of the API's own rows."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User


class ApiTokenQuerySet(models.QuerySet):
    """Selections of tokens."""

    def visible_to(self, user: "User") -> Self:
        """Return one's own tokens; everybody's for those who manage accounts."""
        return self if user.has_perm("accounts.manage_users") else self.filter(owner=user)

    def living(self) -> Self:
        """Return tokens that are neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())
