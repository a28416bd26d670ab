"""Who may choose what is told to whom."""

from django.contrib.auth.models import AnonymousUser

from accounts.models import User


def can_choose_for_roles(user: User | AnonymousUser) -> bool:
    """Those who run the laboratory's settings."""
    return user.has_perm("accounts.manage_laboratory")
