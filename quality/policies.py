"""Who may do what with controls."""

from typing import TYPE_CHECKING

from classifier import policies as clinical

if TYPE_CHECKING:
    from accounts.models import User
    from quality.models import ControlTarget


def can_run_controls(user: "User") -> bool:
    """Whoever brings pictures to cases brings those of controls."""
    return user.has_perm("accounts.upload_image")


def can_prepare_controls(user: "User") -> bool:
    """Whoever proposes the laboratory's limits keeps controls, their targets and rules."""
    return clinical.can_propose_limits(user)


def can_approve_target(user: "User", target: "ControlTarget") -> bool:
    """Four eyes, as with limits: whoever approves them, and did not propose this target."""
    return clinical.can_approve_limits(user) and target.proposed_by_id != user.pk


def can_withdraw_target(user: "User", target: "ControlTarget") -> bool:
    """Whoever approves limits, or proposed it."""
    return clinical.can_approve_limits(user) or target.proposed_by_id == user.pk


def can_release(user: "User") -> bool:
    """Whoever lets a stopped classifier read again."""
    return clinical.can_end_hold(user)
