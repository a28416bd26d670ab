"""Who reads unusually many patients' records is reported to those who read the audit trail."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import audit
from accounts.mass_reading import tell_of_mass_reading
from accounts.models import AuditEvent, User
from notifications.models import Notice


@pytest.fixture(autouse=True)
def three_an_hour(settings) -> None:  # type: ignore[no-untyped-def]
    settings.PATIENTS_READ_PER_HOUR = 3


def read(reader: User, count: int) -> None:
    for _ in range(count):
        audit.record_read(actor=reader, patient=AuditEvent(pk=uuid.uuid4()))


def test_more_than_so_many_patients_an_hour_are_told_of_once_a_day(
    technician: User, pathologist: User, administrator: User
) -> None:
    read(technician, 4)
    read(pathologist, 3)
    assert tell_of_mass_reading() == 1
    event = AuditEvent.objects.get(action="patient.mass_reading")
    assert (event.target_id, event.after) == (
        str(technician.pk), {"patients": 4, "minutes": 60}
    )  # fmt: skip
    assert Notice.objects.get(kind="patient.mass_reading").recipient == administrator
    read(technician, 4)
    assert tell_of_mass_reading() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        read(technician, 4)
        assert tell_of_mass_reading() == 1


def test_one_patient_read_often_is_nothing_unusual(technician: User) -> None:
    patient = AuditEvent(pk=uuid.uuid4())
    for hours in range(5):
        with time_machine.travel(timezone.now() + timedelta(hours=hours)):
            audit.record_read(actor=technician, patient=patient)
    assert tell_of_mass_reading() == 0


def test_what_is_spread_over_a_day_is_nothing_unusual(technician: User) -> None:
    for hours in range(5):
        with time_machine.travel(timezone.now() + timedelta(hours=2 * hours)):
            read(technician, 3)
            assert tell_of_mass_reading() == 0
