"""Dismissing a flagged change, with a reason that stays."""

import uuid
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier import policies
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case
from classifier.services.transitions import lock_case
from reports import content as c
from reports.drafting import flagged_deltas
from reports.models import DeltaDismissal

if TYPE_CHECKING:
    from accounts.models import User

REASON_LIMIT = 500


@transaction.atomic
def dismiss_delta(
    *,
    case_id: uuid.UUID,
    actor: "User",
    analyte: str,
    value: str,
    reason: str,
    action_id: uuid.UUID,
) -> DeltaDismissal:
    """Take a flagged change for explained: it is then not printed. Sent twice it counts once.

    It holds for the value that was on the screen; should the count change, the flag comes back.

    Raises:
        NotPermitted: somebody else has the case open, or nobody.
        GuardFailed: no reason, or one too long.
        EditConflict: nothing is flagged with this value any more.
    """
    case = lock_case(case_id)
    if not policies.can_edit_review(actor, case):
        raise NotPermitted("Only the pathologist who has the case open may dismiss a delta.")
    if done := DeltaDismissal.objects.filter(action_id=action_id, case=case).first():
        return done
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_LIMIT:
        raise GuardFailed(f"Give a reason of at most {REASON_LIMIT} characters.")
    delta = _find(case, analyte, value)
    dismissal, is_new = DeltaDismissal.objects.get_or_create(
        case=case,
        analyte=analyte,
        previous_id=uuid.UUID(delta.previous_report_id),
        value=delta.value,
        defaults={
            "action_id": action_id,
            "previous_value": delta.previous,
            "reason": reason,
            "dismissed_by": actor,
        },
    )
    if is_new:
        _audit(dismissal, delta, actor)
    return dismissal


def _find(case: Case, analyte: str, value: str) -> c.Delta:
    for delta in flagged_deltas(case):
        if (delta.analyte.code, str(delta.value)) == (analyte, value):
            return delta
    raise EditConflict("The result has changed since; look at it again.")


def _audit(dismissal: DeltaDismissal, delta: c.Delta, actor: "User") -> None:
    record(
        actor=actor,
        action="report.delta_dismissed",
        target=dismissal.case,
        before={"value": str(delta.previous), "report": delta.previous_report_id},
        after={"analyte": dismissal.analyte, "value": str(delta.value)},
        reason=dismissal.reason,
        patient=dismissal.case.patient_id,
    )
