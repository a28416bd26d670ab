"""Reading a patient's record is recorded."""

import uuid
from datetime import timedelta

import time_machine
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User


def _reads() -> int:
    return AuditEvent.objects.filter(action="patient.viewed").count()


def test_once_an_hour_for_each_reader_and_patient(technician: User, pathologist: User) -> None:
    # Any row with such an id will do for a patient here: accounts knows none.
    patient, other = (AuditEvent(pk=uuid.uuid4()) for _ in range(2))
    assert audit.record_read(actor=technician, patient=patient)
    assert audit.record_read(actor=technician, patient=patient) is None
    assert audit.record_read(actor=pathologist, patient=patient)
    assert audit.record_read(actor=technician, patient=other)
    assert _reads() == 3
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert audit.record_read(actor=technician, patient=patient)
    assert _reads() == 4
