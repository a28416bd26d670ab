"""The one function that moves a case along its life."""

import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.lifecycle import TRANSITIONS, Transition, check
from classifier.models import Case
from classifier.services.critical import reassess

if TYPE_CHECKING:
    from accounts.models import User

CHANGES_FINDINGS = frozenset(
    {
        "complete_classification",
        "review_manually",
        "amend",
        "withdraw_report",
        "reject",
        "cancel",
    }
)
"""Moves after which a critical finding may be there, stand surer, or be void."""


def lock_case(case_id: uuid.UUID) -> Case:
    """Return the case with its row locked until the transaction ends."""
    return Case.objects.select_for_update(of=("self",)).get(pk=case_id)


@transaction.atomic
def transition(*, case_id: uuid.UUID, name: str, actor: "User", reason: str = "") -> Case:
    """Move a case along one arrow of the lifecycle, or raise and change nothing.

    Raises:
        TransitionRefused, NotPermitted, GuardFailed: see `classifier.lifecycle.check`.
    """
    move = TRANSITIONS[name]
    case = lock_case(case_id)
    check(move, case=case, actor=actor, reason=reason)
    before = case.status
    _apply(move, case, actor, reason)
    record(
        actor=actor,
        action=move.action,
        target=case,
        before={"status": before},
        after={"status": case.status},
        reason=reason,
        patient=case.patient_id,
    )
    if name in CHANGES_FINDINGS:
        reassess(case)
    return case


def _apply(move: Transition, case: Case, actor: "User", reason: str) -> None:
    case.status = move.target
    case.status_reason = reason
    case.version += 1
    changed = ["status", "status_reason", "version"]
    if move.stamp:
        setattr(case, f"{move.stamp}_by", actor)
        setattr(case, f"{move.stamp}_at", timezone.now())
        changed += [f"{move.stamp}_by", f"{move.stamp}_at"]
    case.save(update_fields=changed)
