"""Whoever's password or factor is changed is told of it, lest it was somebody else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import audit, tasks
from accounts.models import User
from tests.factories import PASSWORD

ClientFor = Callable[[User], Client]
CHANGES = (
    "user.password_changed", "user.password_reset", "user.mfa_added", "user.mfa_removed",
    "user.mfa_renewed",
)  # fmt: skip


@pytest.mark.parametrize("action", CHANGES)
def test_owners_are_told_of_each_change_of_what_opens_their_account(
    technician: User, action: str
) -> None:
    tasks.mail_credentials_changed(technician.pk, action)
    (message,) = mail.outbox
    assert message.to == [technician.email]
    assert audit.ACTIONS[action] in message.body


@pytest.mark.parametrize("has_mail", [True, False])
@pytest.mark.usefixtures("empty_cache")
def test_the_mail_goes_with_the_change(
    technician: User,
    client_for: ClientFor,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
    has_mail: bool,
) -> None:
    settings.MAIL_IS_CONFIGURED = has_mail
    new = "seven quiet microscopes"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    with django_capture_on_commit_callbacks() as callbacks:
        client_for(technician).post("/account/password/change/", form)
    assert len(callbacks) == has_mail
