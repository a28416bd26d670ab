"""Who may do what in administration; services and views ask the same questions."""

from django.contrib.auth.models import AnonymousUser

from accounts.models import User


def can_manage_users(user: User | AnonymousUser) -> bool:
    """Those who hold the duty of managing accounts, and the system."""
    return _is_system(user) or user.has_perm("accounts.manage_users")


def can_invite_consultants(user: User | AnonymousUser) -> bool:
    """Those who may ask for opinions, and those who manage accounts."""
    return can_manage_users(user) or user.has_perm("accounts.review_case")


def can_view_audit(user: User | AnonymousUser) -> bool:
    """Those who hold the duty of reading the audit trail."""
    return user.has_perm("accounts.view_audit")


def can_end_access(actor: User, user: User) -> bool:
    """Those who manage accounts, but never for their own account."""
    return can_manage_users(actor) and actor.pk != user.pk and not user.is_system


def _is_system(user: User | AnonymousUser) -> bool:
    return isinstance(user, User) and user.is_system
