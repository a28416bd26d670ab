"""Inviting people, and their joining."""

import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import services, tasks
from accounts.enums import AccountState, Role
from accounts.exceptions import EmailTaken, NotPermitted, WrongState
from accounts.models import AuditEvent, User
from tests.factories import PASSWORD, UserFactory


@pytest.fixture
def invitation(administrator: User) -> services.Invitation:
    return services.invite_user(
        actor=administrator,
        email="New@Lab.example",
        full_name="Nora New",
        role=Role.PATHOLOGIST,
        title="MD",
    )


def _path(link: str) -> str:
    return link.replace("http://127.0.0.1:8000", "")


def _form(**changed: object) -> dict[str, object]:
    return {
        "full_name": "Nora Newman",
        "title": "MD PhD",
        "password": "unrelated words beside",
        "password_again": "unrelated words beside",
        "agreed": "on",
        **changed,
    }


def test_makes_an_account_that_cannot_sign_in_yet(
    invitation: services.Invitation, client: Client
) -> None:
    user = invitation.user
    assert (user.email, user.role, user.state) == (
        "new@lab.example",
        Role.PATHOLOGIST,
        AccountState.INVITED,
    )
    response = client.post("/account/login/", {"login": user.email, "password": "anything"})
    assert response.status_code == 200
    event = AuditEvent.objects.get(action="user.invited")
    assert event.after == {
        "email": "new@lab.example",
        "full_name": "Nora New",
        "title": "MD",
        "role": "pathologist",
    }
    assert invitation.link not in event.payload


def test_the_owner_joins_and_signs_in(invitation: services.Invitation, client: Client) -> None:
    assert client.get(_path(invitation.link)).status_code == 200
    response = client.post(_path(invitation.link), _form())
    assert response["Location"] == "/account/login/"
    user = User.objects.get(pk=invitation.user.pk)
    assert (user.state, user.name_with_title) == (AccountState.ACTIVE, "Nora Newman, MD PhD")
    credentials = {"login": "NEW@lab.example", "password": "unrelated words beside"}
    assert client.post("/account/login/", credentials)["Location"] == "/"
    joined = AuditEvent.objects.get(action="user.joined")
    assert joined.actor == user
    assert joined.after
    assert joined.after["statement"] == services.ELECTRONIC_SIGNATURE_STATEMENT
    assert "unrelated words" not in joined.payload


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"password": "short", "password_again": "short"}, "too short"),
        ({"password_again": "something different"}, "not the same"),
        ({"password": "nora new 123", "password_again": "nora new 123"}, "too similar"),
        ({"agreed": ""}, "required"),
        ({"full_name": " "}, "required"),
    ],
)
def test_refuses_what_does_not_make_an_account(
    invitation: services.Invitation, client: Client, changed: dict[str, str], complaint: str
) -> None:
    response = client.post(_path(invitation.link), _form(**changed))
    assert complaint in response.content.decode()
    assert User.objects.get(pk=invitation.user.pk).state == AccountState.INVITED


def test_a_link_works_once(invitation: services.Invitation, client: Client) -> None:
    client.post(_path(invitation.link), _form())
    response = client.post(_path(invitation.link), _form(password="other words entirely"))
    assert response.status_code == 410
    assert User.objects.get(pk=invitation.user.pk).check_password("unrelated words beside")


def test_a_link_expires(invitation: services.Invitation, client: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=5)):
        response = client.get(_path(invitation.link))
    assert response.status_code == 410
    assert b"expired" in response.content


def test_a_forged_link_is_refused(invitation: services.Invitation, client: Client) -> None:
    assert client.get(_path(invitation.link)[:-3] + "xx/").status_code == 410


def test_renewing_replaces_the_link(
    invitation: services.Invitation, administrator: User, client: Client
) -> None:
    renewed = services.renew_invitation(actor=administrator, user=invitation.user)
    assert b"replaced by a newer one" in client.get(_path(invitation.link)).content
    assert client.get(_path(renewed.link)).status_code == 200


def test_deactivating_voids_the_link(
    invitation: services.Invitation, administrator: User, client: Client
) -> None:
    services.deactivate_user(actor=administrator, user=invitation.user, reason="Withdrawn")
    assert client.get(_path(invitation.link)).status_code == 410


def test_refuses_to_renew_for_somebody_who_joined(administrator: User, technician: User) -> None:
    with pytest.raises(WrongState, match="is active"):
        services.renew_invitation(actor=administrator, user=technician)


@pytest.mark.parametrize("state", AccountState)
def test_refuses_a_known_email(administrator: User, state: AccountState) -> None:
    UserFactory.create(
        email="known@lab.example",
        is_active=state == AccountState.ACTIVE,
        deactivated_at=timezone.now() if state == AccountState.DEACTIVATED else None,
    )
    with pytest.raises(EmailTaken, match=str(state.label)):
        services.invite_user(
            actor=administrator,
            email="KNOWN@lab.example",
            full_name="Again",
            role=Role.TECHNICIAN,
        )


def test_refuses_an_actor_without_the_duty(pathologist: User) -> None:
    with pytest.raises(NotPermitted):
        services.invite_user(
            actor=pathologist, email="x@lab.example", full_name="X", role=Role.TECHNICIAN
        )
    assert not User.objects.filter(email="x@lab.example").exists()


@pytest.mark.parametrize("has_mail", [True, False])
def test_publishes_the_mail_only_where_mail_is_configured(
    administrator: User,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
    has_mail: bool,
) -> None:
    settings.MAIL_IS_CONFIGURED = has_mail
    with django_capture_on_commit_callbacks() as callbacks:
        services.invite_user(
            actor=administrator, email="n@lab.example", full_name="N", role=Role.LEARNER
        )
    assert len(callbacks) == has_mail


def test_mails_the_link(invitation: services.Invitation) -> None:
    tasks.mail_invitation(invitation.user.pk)
    [message] = mail.outbox
    assert message.to == ["new@lab.example"]
    assert "/administration/join/" in message.body


def test_mails_nothing_to_somebody_who_joined(technician: User) -> None:
    tasks.mail_invitation(technician.pk)
    assert mail.outbox == []


def test_the_command_line_invites_the_first_administrator(db: None) -> None:
    out = io.StringIO()
    call_command("invite_user", "first@lab.example", "First Person", stdout=out)
    assert "/administration/join/" in out.getvalue()
    assert User.objects.get(email="first@lab.example").role == Role.ADMINISTRATOR
    assert AuditEvent.objects.get(action="user.invited").actor == User.system()
    with pytest.raises(CommandError, match="already has an account"):
        call_command("invite_user", "first@lab.example", "First Person", stdout=out)


def test_passwords_are_never_recorded(invitation: services.Invitation, client: Client) -> None:
    client.post(_path(invitation.link), _form(password=PASSWORD, password_again=PASSWORD))
    assert not AuditEvent.objects.filter(payload__contains=PASSWORD).exists()
