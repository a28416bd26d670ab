"""Registering patients."""

import uuid
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


def lock_standing(patient_id: uuid.UUID) -> Patient:
    """Return the record that stands for a patient, locked: it isn't merged before we are done."""
    while True:
        known = Patient.objects.select_related("merged_into").get(pk=patient_id)
        locked = Patient.objects.select_for_update(no_key=True).get(pk=known.standing.pk)
        if locked.merged_into_id is None:
            return locked


def find_by_number(mrn: str, issuer: str) -> Patient | None:
    """Return the record registered under a number, merged or not; `standing` stands for it."""
    rows = Patient.objects.select_related("merged_into")
    return rows.filter(mrn=mrn, mrn_issuer=issuer).first()


def find_look_alikes(identity: Identity) -> list[Patient]:
    """Return registered patients with the same name and birth date, or the same MRN elsewhere.

    Where a record was merged, the one that stands for it.
    """
    same_person = Patient.objects.filter(
        family_name__iexact=identity.family_name,
        given_name__iexact=identity.given_name,
        birth_date=identity.birth_date,
    )
    same_number = Patient.objects.filter(mrn=identity.mrn)
    found = (same_person | same_number).select_related("merged_into").distinct()[:10]
    return list(dict.fromkeys(row.standing for row in found))


def _refuse_duplicates(actor: "User", identity: Identity, duplicate_reason: str) -> None:
    existing = find_by_number(identity.mrn, identity.mrn_issuer)
    if existing and _is_closed(actor, existing.standing):
        raise DuplicatePatient(
            "This MRN is already registered with this issuer, for a restricted record.",
            [],
            certain=True,
            closed=existing.standing,
        )
    if existing:
        raise DuplicatePatient(
            "This MRN is already registered with this issuer.", [existing.standing], certain=True
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
