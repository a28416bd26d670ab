"""Steps of tests about retention: holds, rules."""

import uuid
from typing import Any

from django.utils import timezone

from accounts.models import User
from classifier.models import Case, LegalHold, Patient
from classifier.services.legal_holds import HoldRequest, hold_case, hold_patient
from retention.models import RetentionRule
from retention.services.rules import approve_rule, propose_rule


def hold(actor: User, held: Patient | Case, reference: str = "Az. 3 O 12/26") -> LegalHold:
    """Put a hold on a patient's record or a case."""
    request = HoldRequest(uuid.uuid4(), reference, "A claim was announced.")
    if isinstance(held, Case):
        return hold_case(actor=actor, case_id=held.pk, request=request)
    return hold_patient(actor=actor, patient_id=held.pk, request=request)


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
