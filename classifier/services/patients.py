"""Registering patients."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import policies
from classifier.exceptions import DomainError, DuplicatePatient, NotPermitted
from classifier.models import Patient

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Identity:
    """What identifies a patient: the MRN within its issuer, and name with birth date."""

    mrn: str
    mrn_issuer: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str


@transaction.atomic
def register_patient(*, actor: "User", identity: Identity, duplicate_reason: str = "") -> Patient:
    """Register a person once: the same MRN is refused, a look-alike needs a reason.

    Raises:
        NotPermitted: the actor doesn't register patients.
        DuplicatePatient: the MRN exists (`is_certain`), or a look-alike and no reason given.
    """
    if not policies.can_register_patient(actor):
        raise NotPermitted("You may not register patients.")
    if identity.birth_date > timezone.localdate():
        raise DomainError("The birth date lies in the future.")
    _refuse_duplicates(actor, identity, duplicate_reason)
    patient = Patient.objects.create(**asdict(identity), registered_by=actor)
    record(
        actor=actor,
        action="patient.registered",
        target=patient,
        after={"mrn_issuer": identity.mrn_issuer},
        reason=duplicate_reason,
        patient=patient.pk,
    )
    return patient


def find_look_alikes(identity: Identity) -> list[Patient]:
    """Return registered patients with the same name and birth date, or the same MRN elsewhere."""
    same_person = Patient.objects.filter(
        family_name__iexact=identity.family_name,
        given_name__iexact=identity.given_name,
        birth_date=identity.birth_date,
    )
    same_number = Patient.objects.filter(mrn=identity.mrn)
    return list((same_person | same_number).distinct()[:10])


def _refuse_duplicates(actor: "User", identity: Identity, duplicate_reason: str) -> None:
    existing = Patient.objects.filter(mrn=identity.mrn, mrn_issuer=identity.mrn_issuer).first()
    if existing and _is_closed(actor, existing):
        raise DuplicatePatient(
            "This MRN is already registered with this issuer, for a restricted record.",
            [],
            certain=True,
            closed=existing,
        )
    if existing:
        raise DuplicatePatient(
            "This MRN is already registered with this issuer.", [existing], certain=True
        )
    look_alikes = [one for one in find_look_alikes(identity) if not _is_closed(actor, one)]
    if look_alikes and not duplicate_reason.strip():
        raise DuplicatePatient(
            "A registered patient looks the same. Open that patient, or say why this is another.",
            look_alikes,
            certain=False,
        )


def _is_closed(actor: "User", patient: Patient) -> bool:
    """Tell whether whom it is may not be said; a name alone never finds a restricted record."""
    return Patient.objects.restricted_for(actor).filter(pk=patient.pk).exists()
