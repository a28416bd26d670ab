"""Who may do what with retention."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import User
    from retention.models import Disposal, RetentionRule


def can_keep_records(user: "User") -> bool:
    """Whoever holds the duty says how long records are kept, and disposes of them."""
    return user.has_perm("accounts.manage_retention")


def can_copy_patients(user: "User") -> bool:
    """Whoever keeps the laboratory's records, and may read patients and who read them."""
    reads = user.has_perm("accounts.view_patient") and user.has_perm("accounts.view_audit")
    return can_keep_records(user) and reads


def can_approve_rule(user: "User", rule: "RetentionRule") -> bool:
    """Whoever holds the duty, or approves the laboratory's limits, and did not propose it."""
    holds = can_keep_records(user) or user.has_perm("accounts.approve_limits")
    return holds and rule.proposed_by_id != user.pk


def can_approve_disposal(user: "User", disposal: "Disposal") -> bool:
    """Whoever holds the duty, and did not propose it."""
    return can_keep_records(user) and disposal.proposed_by_id != user.pk
