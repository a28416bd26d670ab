"""Who may do what to which case; services ask before acting, views before showing a button."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from classifier.enums import UNFINISHED, CaseStatus
from classifier.models import Case, Review

if TYPE_CHECKING:
    from accounts.models import User

TECHNICIAN_STAGE = (
    CaseStatus.REGISTERED,
    CaseStatus.IN_CLASSIFICATION,
    CaseStatus.CLASSIFICATION_FAILED,
    CaseStatus.AWAITING_REVIEW,
)


PREPARED = (
    CaseStatus.REGISTERED,
    CaseStatus.IN_CLASSIFICATION,
    CaseStatus.CLASSIFICATION_FAILED,
)

PARTS_TAKEN: list[Callable[["User", Case], bool]] = []
"""Further ways of having had to do with a case; apps above add theirs when they load."""

READING_BARS: list[Callable[["User", Case], bool]] = []
"""Further reasons why somebody doesn't read a case blind; apps above add theirs when they load."""


def can_register_patient(user: "User", _case: Case | None = None) -> bool:
    """Whoever holds the duty may; the system too, when an order of another system comes in."""
    return user.is_system or user.has_perm("accounts.register_patient")


def can_merge_patients(user: "User", _case: Case | None = None) -> bool:
    """Whoever holds the duty may say that two records are of one person, and take it back."""
    return user.has_perm("accounts.merge_patients")


def can_hold_records(user: "User", _case: Case | None = None) -> bool:
    """Whoever keeps the laboratory's records puts and lifts legal holds."""
    return user.has_perm("accounts.manage_retention")


def can_correct_patient(user: "User", _case: Case | None = None) -> bool:
    """Whoever registers patients may say whose blood a case is of."""
    return user.has_perm("accounts.register_patient")


def can_submit(user: "User", _case: Case) -> bool:
    """Whoever holds the duty may add images to a registered case, submit and retry it."""
    return user.has_perm("accounts.submit_case")


def can_cancel(user: "User", case: Case) -> bool:
    """Whoever may submit a case; the system too, when its order is cancelled."""
    return user.is_system or can_submit(user, case)


def can_bring_results(user: "User", _case: Case | None = None) -> bool:
    """The system for an analyser, and whoever registers patients: they match unknown specimens."""
    return user.is_system or user.has_perm("accounts.register_patient")


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


def can_issue_interim(user: "User", case: Case) -> bool:
    """Of a case that nobody has open: a pathologist who signs and did not submit it."""
    return (
        user.has_perm("accounts.sign_off_case")
        and can_open_review(user, case)
        and not case.reviews.filter(completed_at__isnull=True).exists()
    )


def can_amend(user: "User", case: Case) -> bool:
    """A pathologist other than the submitter may correct a signed report."""
    return user.has_perm("accounts.amend_report") and case.submitted_by_id != user.pk


def can_ask_withdrawal(user: "User", case: Case) -> bool:
    """A pathologist other than the submitter asks for a report to be withdrawn."""
    return can_amend(user, case)


def can_confirm_withdrawal(user: "User", case: Case) -> bool:
    """Whoever manages the laboratory, and neither signed nor submitted the case."""
    return user.has_perm("accounts.manage_laboratory") and user.pk not in (
        case.signed_by_id,
        case.submitted_by_id,
    )


def can_reject(user: "User", case: Case) -> bool:
    """A technician until review opens; from then on the pathologist who has the case open."""
    if case.status in TECHNICIAN_STAGE:
        return user.has_perm("accounts.reject_case")
    return can_edit_review(user, case)


def can_record_callback(user: "User", _case: Case | None = None) -> bool:
    """Whoever holds the duty may tell a critical result and write it down."""
    return user.has_perm("accounts.record_callback")


def can_manage_models(user: "User", _case: Case | None = None) -> bool:
    """Whoever holds the duty, and the system when it starts up with a release."""
    return user.is_system or user.has_perm("accounts.manage_models")


def can_end_hold(user: "User", _case: Case | None = None) -> bool:
    """Whoever manages models, or approves what the laboratory's results are held against."""
    return can_manage_models(user) or can_approve_limits(user)


def can_keep_reference_cells(user: "User", _case: Case | None = None) -> bool:
    """Pathologists choose what the laboratory compares with; the system imports for them."""
    return user.is_system or user.has_perm("accounts.review_case")


def can_approve_limits(user: "User", _case: Case | None = None) -> bool:
    """Whoever holds the duty approves the laboratory's limits and cut-offs in their own name."""
    return user.has_perm("accounts.approve_limits")


def can_propose_limits(user: "User", _case: Case | None = None) -> bool:
    """Whoever approves limits, or manages the laboratory."""
    return can_approve_limits(user) or user.has_perm("accounts.manage_laboratory")


def can_ask_why(user: "User", case: Case) -> bool:
    """Whoever may see the case."""
    return Case.objects.visible_to(user).filter(pk=case.pk).exists()


def can_open_reference_count(user: "User", _case: Case | None = None) -> bool:
    """Pathologists, and whoever manages the laboratory."""
    return user.has_perm("accounts.review_case") or user.has_perm("accounts.manage_laboratory")


def took_part(user: "User", case: Case) -> bool:
    """Say whether somebody ever had to do with a case.

    Submitted it, had it open for review, told a critical result of it, or what an app above knows
    of (`PARTS_TAKEN`).
    """
    return (
        case.submitted_by_id == user.pk
        or case.reviews.filter(reviewer=user).exists()
        or case.critical_alerts.filter(calls__called_by=user).exists()
        or any(took(user, case) for took in PARTS_TAKEN)
    )


def can_read_reference_count(user: "User", case: Case) -> bool:
    """Pathologists who never had anything to do with the case, nor know what its cells are.

    The latter is for an app above to say (`READING_BARS`).
    """
    return (
        user.has_perm("accounts.review_case")
        and not took_part(user, case)
        and not any(is_barred(user, case) for is_barred in READING_BARS)
    )


def can_protect_patients(user: "User", _case: Case | None = None) -> bool:
    """Whoever holds the duty marks records, keeps their access lists and judges emergencies."""
    return user.has_perm("accounts.protect_patients")


def can_take_up(user: "User", case: Case) -> bool:
    """Whoever has the next step of an unfinished case of a restricted record to do.

    While the technician prepares it, whoever submits cases; once it waits for review, a
    pathologist who did not submit it; while a critical result of it is open, whoever may tell it.
    """
    if case.status in PREPARED:
        return user.has_perm("accounts.submit_case")
    if case.status == CaseStatus.AWAITING_REVIEW and can_open_review(user, case):
        return True
    is_critical = case.critical_alerts.filter(closed_at=None).exists()
    return case.status in UNFINISHED and is_critical and can_record_callback(user)


def can_break_glass(user: "User", _case: Case | None = None) -> bool:
    """A person of the laboratory who may read patient records; never a program in their name."""
    return user.has_perm("accounts.view_patient") and not user.acts_by_program


def is_system(user: "User", _case: Case) -> bool:
    """Only the seeded system user, as which the workers act."""
    return user.is_system


def _open_review(case: Case, reviewer: "User") -> Review | None:
    return case.reviews.filter(reviewer=reviewer, completed_at__isnull=True).first()
