"""The trail of a consultant: what was opened, and when first."""

from datetime import timedelta

import time_machine
from django.test import Client

from accounts.models import AuditEvent
from consultation.models import Referral
from tests.consultation.conftest import addresses


def test_every_visit_is_recorded_once_an_hour(referral: Referral, outside: Client) -> None:
    found = addresses(referral)
    for _ in range(2):
        for address in found.values():
            outside.get(address)
    events = AuditEvent.objects.filter(actor=referral.consultant, action__startswith="referral")
    assert sorted(events.values_list("action", flat=True)) == [
        "referral.opened",
        "referral.picture_viewed",
        "referral.viewed",
    ]
    event = AuditEvent.objects.get(action="referral.picture_viewed")
    assert (event.patient_id, event.after) == (
        referral.case.patient_id,
        {"referral": str(referral.pk)},
    )
    outside.logout()
    with time_machine.travel(event.at + timedelta(minutes=61), tick=False):
        outside.force_login(
            referral.consultant, backend="django.contrib.auth.backends.ModelBackend"
        )
        outside.get(found["page"])
    assert AuditEvent.objects.filter(action="referral.viewed").count() == 2


def test_the_first_opening_is_noted(referral: Referral, outside: Client) -> None:
    outside.get(addresses(referral)["page"])
    referral.refresh_from_db()
    first = referral.first_opened_at
    outside.get(addresses(referral)["page"])
    referral.refresh_from_db()
    assert first is not None
    assert referral.first_opened_at == first
