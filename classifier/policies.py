"""Who may do what to which case; services ask before acting, views before showing a button."""

from typing import TYPE_CHECKING

from classifier.enums import CaseStatus
from classifier.models import Case, Review

if TYPE_CHECKING:
    from accounts.models import User

TECHNICIAN_STAGE = (
    CaseStatus.REGISTERED,
    CaseStatus.IN_CLASSIFICATION,
    CaseStatus.CLASSIFICATION_FAILED,
    CaseStatus.AWAITING_REVIEW,
)


def can_register_patient(user: "User", _case: Case | None = None) -> bool:
    """Whoever holds the duty may register patients and open cases."""
    return user.has_perm("accounts.register_patient")


def can_submit(user: "User", _case: Case) -> bool:
    """Whoever holds the duty may add images to a registered case, submit and retry it."""
    return user.has_perm("accounts.submit_case")


def can_open_review(user: "User", case: Case) -> bool:
    """Four eyes: a pathologist other than the submitter."""
    return user.has_perm("accounts.review_case") and case.submitted_by_id != user.pk


def can_edit_review(user: "User", case: Case) -> bool:
    """Only the pathologist who has the case open."""
    return user.has_perm("accounts.review_case") and _open_review(case, user) is not None


def can_release(user: "User", case: Case) -> bool:
    """The pathologist who has the case open, or whoever manages the laboratory."""
    return can_edit_review(user, case) or user.has_perm("accounts.manage_laboratory")


def can_sign_off(user: "User", case: Case) -> bool:
    """The pathologist who has the case open and did not submit it."""
    return (
        user.has_perm("accounts.sign_off_case")
        and case.submitted_by_id != user.pk
        and can_edit_review(user, case)
    )


def can_amend(user: "User", case: Case) -> bool:
    """A pathologist other than the submitter may correct a signed report."""
    return user.has_perm("accounts.amend_report") and case.submitted_by_id != user.pk


def can_reject(user: "User", case: Case) -> bool:
    """A technician until review opens; from then on the pathologist who has the case open."""
    if case.status in TECHNICIAN_STAGE:
        return user.has_perm("accounts.reject_case")
    return can_edit_review(user, case)


def can_manage_models(user: "User", _case: Case | None = None) -> bool:
    """Whoever holds the duty, and the system when it starts up with a release."""
    return user.is_system or user.has_perm("accounts.manage_models")


def is_system(user: "User", _case: Case) -> bool:
    """Only the seeded system user, as which the workers act."""
    return user.is_system


def _open_review(case: Case, reviewer: "User") -> Review | None:
    return case.reviews.filter(reviewer=reviewer, completed_at__isnull=True).first()
