"""Owners are told before their tokens end."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.models import AuditEvent, User
from api.services.reminders import remind_owners
from api.services.tokens import revoke_token
from notifications.models import Notice
from tests.api.conftest import MakeToken

DAY = timedelta(days=1)


def test_an_owner_is_told_once_that_a_token_ends_soon(
    technician: User, make_token: MakeToken
) -> None:
    token = make_token(technician, life=60 * DAY).token
    assert remind_owners() == 0
    with time_machine.travel(timezone.now() + 47 * DAY):
        assert remind_owners() == 1
        assert remind_owners() == 0
    event = AuditEvent.objects.get(action="api_token.ends_soon")
    assert event.target_id == str(token.pk)
    assert event.actor == User.system()
    notice = Notice.objects.get(event=event)
    assert notice.recipient == technician
    assert not mail.outbox


@pytest.mark.parametrize(("days_left", "told"), [(3, 0), (1.9, 1)])
def test_a_short_life_is_told_of_when_a_fourth_is_left(
    technician: User, make_token: MakeToken, days_left: float, told: int
) -> None:
    make_token(technician, life=8 * DAY)
    with time_machine.travel(timezone.now() + (8 - days_left) * DAY):
        assert remind_owners() == told


def test_nobody_is_told_of_a_token_that_opens_nothing(
    technician: User, make_token: MakeToken
) -> None:
    revoked = make_token(technician, life=8 * DAY).token
    revoke_token(token_id=revoked.pk, actor=technician)
    make_token(technician, life=DAY)
    with time_machine.travel(timezone.now() + 7 * DAY):
        assert remind_owners() == 0
