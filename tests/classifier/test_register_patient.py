"""Registering patients: two identifiers, no doubles, audited."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection

from accounts.models import AuditEvent, User
from classifier.exceptions import DomainError, DuplicatePatient, NotPermitted
from classifier.models import Patient
from classifier.services.patients import register_patient
from tests.clinical import JANE


def test_registers_a_patient_and_says_so_in_the_audit_trail(technician: User) -> None:
    patient = register_patient(actor=technician, identity=JANE)
    event = AuditEvent.objects.get(action="patient.registered")
    assert event.patient_id == patient.pk
    assert event.actor == technician
    assert "Doe" not in event.payload


def test_refuses_the_same_mrn_of_the_same_issuer(technician: User, patient: Patient) -> None:
    other = replace(JANE, family_name="Roe", birth_date=date(1990, 2, 2))
    with pytest.raises(DuplicatePatient) as refusal:
        register_patient(actor=technician, identity=other, duplicate_reason="really another")
    assert refusal.value.is_certain
    assert refusal.value.candidates == [patient]


def test_asks_about_a_look_alike(technician: User, patient: Patient) -> None:
    twin = replace(JANE, mrn="MRN99999", family_name="DOE")
    with pytest.raises(DuplicatePatient) as refusal:
        register_patient(actor=technician, identity=twin)
    assert not refusal.value.is_certain
    assert Patient.objects.count() == 1


def test_registers_a_look_alike_with_a_reason(technician: User, patient: Patient) -> None:
    twin = replace(JANE, mrn="MRN99999")
    register_patient(actor=technician, identity=twin, duplicate_reason="twin, other hospital")
    assert Patient.objects.count() == 2
    assert AuditEvent.objects.filter(reason="twin, other hospital").exists()


def test_refuses_a_birth_date_in_the_future(technician: User) -> None:
    with pytest.raises(DomainError, match="future"):
        register_patient(actor=technician, identity=replace(JANE, birth_date=date(2999, 1, 1)))


@pytest.mark.parametrize("person", ["pathologist", "administrator", "consultant", "learner"])
def test_only_technicians_register(person: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotPermitted):
        register_patient(actor=request.getfixturevalue(person), identity=JANE)
    assert not Patient.objects.exists()


def test_keeps_every_version_of_the_row_even_of_a_bulk_update(patient: Patient) -> None:
    Patient.objects.filter(pk=patient.pk).update(given_name="Janet")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT given_name FROM classifier_patientevent WHERE pgh_obj_id = %s ORDER BY pgh_id",
            [patient.pk],
        )
        assert [name for (name,) in cursor.fetchall()] == ["Jane", "Janet"]
