"""The life of a case as data: from where, to where, by whom, on what condition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier import guards, policies
from classifier.enums import CaseStatus as S
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case

if TYPE_CHECKING:
    from accounts.models import User

Policy = Callable[["User", Case], bool]
Guard = Callable[[Case], str | None]


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal move of a case. `stamp` names the pair of fields that keep who and when."""

    name: str
    sources: tuple[S, ...]
    target: S
    policy: Policy
    guards: tuple[Guard, ...] = ()
    needs_reason: bool = False
    stamp: str = ""

    @property
    def action(self) -> str:
        """The name under which the audit trail keeps the move."""
        return f"case.{self.name}"


_TABLE = (
    Transition(
        "submit",
        (S.REGISTERED,),
        S.IN_CLASSIFICATION,
        policies.can_submit,
        (guards.slides_are_settled, guards.has_usable_image),
        stamp="submitted",
    ),
    Transition(
        "complete_classification",
        (S.IN_CLASSIFICATION,),
        S.AWAITING_REVIEW,
        policies.is_system,
        (guards.every_run_succeeded,),
    ),
    Transition(
        "fail_classification",
        (S.IN_CLASSIFICATION,),
        S.CLASSIFICATION_FAILED,
        policies.is_system,
        (guards.every_run_ended_with_a_failure,),
    ),
    Transition("retry", (S.CLASSIFICATION_FAILED,), S.IN_CLASSIFICATION, policies.can_submit),
    Transition(
        "review_manually",
        (S.CLASSIFICATION_FAILED, S.IN_CLASSIFICATION),
        S.AWAITING_REVIEW,
        policies.can_submit,
        (guards.is_not_about_to_be_read,),
        needs_reason=True,
    ),
    Transition("take_back", (S.AWAITING_REVIEW,), S.REGISTERED, policies.can_submit),
    Transition("open_review", (S.AWAITING_REVIEW,), S.IN_REVIEW, policies.can_open_review),
    Transition("release", (S.IN_REVIEW,), S.AWAITING_REVIEW, policies.can_release),
    Transition(
        "restart_review",
        (S.IN_REVIEW,),
        S.AWAITING_REVIEW,
        policies.can_correct_patient,
        needs_reason=True,
    ),
    Transition(
        "return_to_technician",
        (S.IN_REVIEW,),
        S.REGISTERED,
        policies.can_edit_review,
        needs_reason=True,
    ),
    Transition(
        "issue_interim",
        (S.IN_REVIEW,),
        S.IN_REVIEW,
        policies.can_sign_off,
        (guards.referred_cells_resolved,),
    ),
    Transition(
        "issue_interim_unopened",
        (S.AWAITING_REVIEW,),
        S.AWAITING_REVIEW,
        policies.can_issue_interim,
        (guards.referred_cells_resolved,),
    ),
    Transition(
        "sign_off",
        (S.IN_REVIEW, S.AMENDING),
        S.SIGNED_OFF,
        policies.can_sign_off,
        (guards.referred_cells_resolved, guards.critical_results_told),
        stamp="signed",
    ),
    Transition("amend", (S.SIGNED_OFF,), S.AMENDING, policies.can_amend, needs_reason=True),
    Transition(
        "withdraw_amendment",
        (S.AMENDING,),
        S.SIGNED_OFF,
        policies.can_edit_review,
        (
            guards.nothing_corrected_in_open_review,
            guards.nothing_graded_in_open_review,
            guards.nothing_taken_in_open_review,
        ),
    ),
    Transition(
        "withdraw_report",
        (S.SIGNED_OFF,),
        S.ENTERED_IN_ERROR,
        policies.can_confirm_withdrawal,
        needs_reason=True,
    ),
    Transition(
        "reject",
        (*policies.TECHNICIAN_STAGE, S.IN_REVIEW),
        S.REJECTED,
        policies.can_reject,
        needs_reason=True,
    ),
    Transition("cancel", (S.REGISTERED,), S.CANCELLED, policies.can_cancel, needs_reason=True),
)

TRANSITIONS: Mapping[str, Transition] = {move.name: move for move in _TABLE}


def check(move: Transition, *, case: Case, actor: "User", reason: str) -> None:
    """Raise unless the locked ``case`` may make ``move`` now, by ``actor``.

    Raises:
        TransitionRefused: the case is in another state.
        NotPermitted: the person may not.
        GuardFailed: a reason or another condition is missing.
    """
    if case.status not in move.sources:
        raise TransitionRefused(
            f"Case {case.accession_number} is {case.get_status_display().lower()}; "
            f"this step is not possible now."
        )
    if not move.policy(actor, case):
        raise NotPermitted("You may not do this with this case.")
    if move.needs_reason and not reason.strip():
        raise GuardFailed("Give a reason.")
    for guard in move.guards:
        if problem := guard(case):
            raise GuardFailed(problem)


def available(case: Case, user: "User") -> tuple[str, ...]:
    """Return the names of the moves that ``user`` could make from here, guards aside."""
    return tuple(
        move.name for move in _TABLE if case.status in move.sources and move.policy(user, case)
    )
