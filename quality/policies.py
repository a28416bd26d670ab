"""Who may do what with controls, with the figures of readers and with their checks."""

from typing import TYPE_CHECKING

from classifier import policies as clinical
from quality.models import CheckCell

if TYPE_CHECKING:
    from accounts.models import User
    from classifier.models import Case
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


def can_see_readers(user: "User") -> bool:
    """Whoever manages the laboratory sees whose figures are whose; a reader only the own."""
    return user.has_perm("accounts.manage_laboratory")


def can_keep_checks(user: "User") -> bool:
    """Whoever manages the laboratory, who never reads: known cells, rules, dealing, withdrawing."""
    return user.has_perm("accounts.manage_laboratory")


def is_reader(user: "User") -> bool:
    """Whoever names the cells of cases is checked, while their account is in use."""
    return user.is_active and user.has_perm("accounts.review_case")


def was_dealt_a_cell_of(user: "User", case: "Case") -> bool:
    """Say whether a reader check showed the user a cell of the case, and later its class."""
    return CheckCell.objects.filter(check_of__reader=user, known__cell__image__case=case).exists()
