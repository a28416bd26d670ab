"""Who may do what with messages of other systems."""

from typing import TYPE_CHECKING

from classifier.exceptions import NotPermitted

if TYPE_CHECKING:
    from accounts.models import User


def can_read_incoming(user: "User") -> bool:
    """Whoever connects other systems, and whoever registers patients by hand."""
    return can_manage_senders(user) or can_settle(user)


def can_settle(user: "User") -> bool:
    """Whoever registers patients settles what waits: it touches the register."""
    return user.has_perm("accounts.register_patient")


def can_manage_senders(user: "User") -> bool:
    """Whoever connects other systems."""
    return user.has_perm("accounts.manage_interfaces")


def check_can_manage(user: "User") -> None:
    """Let only those decide about receivers and their messages who connect other systems.

    Raises:
        NotPermitted: they may not.
    """
    if not can_manage_senders(user):
        raise NotPermitted("You may not connect other systems.")
