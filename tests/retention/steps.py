"""Steps of tests about retention: holds, rules, disposals."""

import uuid
from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from accounts.models import User
from classifier.models import Case, LegalHold, Patient
from classifier.services.legal_holds import HoldRequest, hold_case, hold_patient
from classifier.services.transitions import transition
from retention.enums import RecordType
from retention.models import Disposal, RetentionRule
from retention.services.carrying_out import carry_out_disposals
from retention.services.disposals import approve_disposal, propose_disposal
from retention.services.rules import approve_rule, propose_rule


def hold(actor: User, held: Patient | Case, reference: str = "Az. 3 O 12/26") -> LegalHold:
    """Put a hold on a patient's record or a case."""
    wanted = HoldRequest(uuid.uuid4(), reference, "A claim was announced.")
    if isinstance(held, Case):
        return hold_case(actor=actor, case_id=held.pk, wanted=wanted)
    return hold_patient(actor=actor, patient_id=held.pk, wanted=wanted)


def rule_values(**changed: Any) -> dict[str, Any]:
    """Return what a rule of field images says."""
    return {
        "record_type": "field_images",
        "counts_from": "signed",
        "keep_for": 10,
        "unit": "years",
        "minimum": None,
        "minimum_source": "",
        "source": "Policy 7 of the laboratory",
        "effective_from": timezone.localdate(),
    } | changed


def rule(proposer: User, approver: User, **changed: Any) -> RetentionRule:
    """Have a rule in force."""
    proposed = propose_rule(actor=proposer, values=rule_values(**changed))
    return approve_rule(actor=approver, rule_id=proposed.pk)


def travel(days: float) -> time_machine.travel:
    """Go so many days on."""
    return time_machine.travel(timezone.now() + timedelta(days=days), tick=True)


def end(case: Case, actor: User) -> Case:
    """Reject a case before it is submitted."""
    return transition(case_id=case.pk, name="reject", actor=actor, reason="Clotted.")


def day_rule(proposer: User, approver: User, **changed: Any) -> RetentionRule:
    """Have a rule in force by which images of single cells of ended cases are kept for a day."""
    values = {"record_type": "cell_images", "counts_from": "ended", "keep_for": 1, "unit": "days"}
    return rule(proposer, approver, **(values | changed))


def propose(actor: User, *cases: Case, kind: RecordType = RecordType.CELL_IMAGES) -> Disposal:
    """Propose to dispose of the cases' images."""
    return propose_disposal(
        actor=actor, kind=kind, disposal_id=uuid.uuid4(), cases=[case.pk for case in cases]
    )


def dispose(
    proposer: User, approver: User, *cases: Case, kind: RecordType = RecordType.CELL_IMAGES
) -> Disposal:
    """Propose, approve and carry out."""
    disposal = propose(proposer, *cases, kind=kind)
    approve_disposal(actor=approver, disposal_id=disposal.pk)
    carry_out_disposals()
    disposal.refresh_from_db()
    return disposal
