"""Restricting records in tests."""

import uuid

from accounts.models import User
from classifier.models import Patient, Restriction
from classifier.services.restrictions import restrict_patient


def restrict(actor: User, patient: Patient, reason: str = "Works here.") -> Restriction:
    """Restrict a record as one of a member of staff."""
    return restrict_patient(
        actor=actor, patient_id=patient.pk, restriction_id=uuid.uuid4(), kind="staff", reason=reason
    )
