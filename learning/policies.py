"""Who may do what in the registry of models."""

from typing import TYPE_CHECKING

from classifier import policies as clinical

if TYPE_CHECKING:
    from accounts.models import User
    from learning.models import AcceptanceRule, BasisOfUse, Nomination


def can_read_registry(user: "User") -> bool:
    """Whoever works in the laboratory may read what its models are and how good."""
    return user.has_perm("accounts.view_worklist")


def can_manage_models(user: "User") -> bool:
    """Whoever holds the duty, and the system when it starts up with a release."""
    return clinical.can_manage_models(user)


def can_read_nominations(user: "User") -> bool:
    """Whoever reviews cases may say what a nominated cell is."""
    return user.has_perm("accounts.review_case")


def can_name_nomination(user: "User", nomination: "Nomination") -> bool:
    """A second person, who is not the one that named the cell in the case."""
    return can_read_nominations(user) and nomination.first_reader_id != user.pk


def can_approve_rule(user: "User", rule: "AcceptanceRule") -> bool:
    """Whoever approves the laboratory's limits, and did not propose this one."""
    return user.has_perm("accounts.approve_limits") and rule.proposed_by_id != user.pk


def can_approve_basis(user: "User", basis: "BasisOfUse") -> bool:
    """Whoever approves the laboratory's limits, and did not propose this basis."""
    return user.has_perm("accounts.approve_limits") and basis.proposed_by_id != user.pk


def can_override_refusals(user: "User") -> bool:
    """Whoever manages models or approves limits; the promotion itself is then another's."""
    return can_manage_models(user) or user.has_perm("accounts.approve_limits")
