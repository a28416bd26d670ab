"""Who may take reports out of the laboratory, in lists and for research."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import User


def can_export_lists(user: "User") -> bool:
    """Whoever reads patients' records and holds the duty of exporting them."""
    return user.has_perm("accounts.view_patient") and user.has_perm("accounts.export_reports")


def can_export_research(user: "User") -> bool:
    """Whoever holds the duty; what leaves names nobody."""
    return user.has_perm("accounts.export_research")
