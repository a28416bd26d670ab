"""Writing audit events."""

import json
import uuid
from datetime import date

import pytest

from accounts import audit
from accounts.context import request_context
from accounts.models import AuditEvent, User
from tests.accounts.trail import write_event


def test_keeps_who_what_when_why_and_both_values(administrator: User, technician: User) -> None:
    request_id = str(uuid.uuid4())
    with request_context(request_id=request_id, client_address="192.0.2.7"):
        written = write_event(
            administrator,
            target=technician,
            before={"day": date(2026, 1, 2)},
            after={"day": None},
            reason="  A typing error. ",
        )
    event = AuditEvent.objects.get(pk=written.pk)
    assert event.actor == administrator
    assert event.actor_name == "Ada Administrator"
    assert (event.target_type, event.target_id) == ("accounts.user", str(technician.pk))
    assert event.target_label == technician.email
    assert (event.before, event.after) == ({"day": "2026-01-02"}, {"day": None})
    assert event.reason == "A typing error."
    assert (event.request_id, event.client_address) == (request_id, "192.0.2.7")


def test_the_payload_states_every_column(administrator: User) -> None:
    event = AuditEvent.objects.get(pk=write_event(administrator, after={"é": 1.5}).pk)
    assert event.payload == audit.canonical_payload(event)
    assert json.loads(event.payload)["after"] == {"é": 1.5}


def test_the_name_stays_as_it_was(pathologist: User) -> None:
    event = write_event(pathologist)
    User.objects.filter(pk=pathologist.pk).update(full_name="Somebody Else")
    assert AuditEvent.objects.get(pk=event.pk).actor_name == "Paul Pathologist, MD"


def test_refuses_an_unregistered_action(administrator: User) -> None:
    with pytest.raises(audit.AuditError, match="Unknown audit action"):
        write_event(administrator, action="user.praised")


@pytest.mark.django_db(transaction=True)
def test_refuses_to_write_outside_a_transaction() -> None:
    with pytest.raises(audit.AuditError, match="belongs to the transaction"):
        audit.record(actor=User.system(), action="user.changed", target=None)


def test_one_name_cannot_mean_two_things() -> None:
    with pytest.raises(audit.AuditError, match="already registered"):
        audit.register_actions({"user.changed": "Something else"})


def test_nobody_can_be_deleted_whose_acts_are_recorded(administrator: User) -> None:
    from django.db.models import ProtectedError

    write_event(administrator)
    with pytest.raises(ProtectedError):
        administrator.delete()
