"""Who may see and start what is done with copies and keys."""

from django.contrib.auth.models import AnonymousUser

from accounts.models import User


def can_keep_copies(user: User | AnonymousUser) -> bool:
    """Those who run the laboratory's settings, and the system."""
    is_system = isinstance(user, User) and user.is_system
    return is_system or user.has_perm("accounts.manage_laboratory")
