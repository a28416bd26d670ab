"""Mails: what they say, and that none is lost."""

from collections.abc import Callable
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from classifier.models import Case
from notifications.enums import MailState
from notifications.models import Notice
from notifications.services.mailing import ATTEMPTS, mail_notices
from notifications.services.reading import KEPT, remove_older_than

Leave = Callable[..., Notice]


class BrokenBackend(EmailBackend):
    """A mail server that can't be reached, or that refuses everybody."""

    refuses = False

    def send_messages(self, messages: Any) -> int:
        if self.refuses:
            raise SMTPRecipientsRefused({})
        raise ConnectionRefusedError


class RefusingBackend(BrokenBackend):
    refuses = True


@pytest.fixture
def leave(case: Case, technician: User) -> Leave:
    """Leave a notice whose mail waits."""

    def make(kind: str = "case.returned", **said: Any) -> Notice:
        return Notice.objects.create(
            recipient=said.pop("recipient", technician),
            kind=kind,
            event=AuditEvent.objects.filter(target_id=str(case.pk)).latest("at"),
            mail_state=said.pop("mail_state", MailState.WAITING),
            **said,
        )

    return make


def test_a_mail_names_nobody_and_nothing(leave: Leave, case: Case, technician: User) -> None:
    notice = leave()
    assert mail_notices() == 1
    (message,) = mail.outbox
    assert message.to == [technician.email]
    assert message.subject == "HematoVision: A case came back to you"
    text = f"{message.subject} {message.body}"
    for secret in ("Doe", "Jane", "MRN00123", case.accession_number, str(case.pk)):
        assert secret not in text
    assert notice.get_absolute_url() in text
    notice.refresh_from_db()
    assert notice.mail_state == MailState.SENT
    assert notice.mailed_at is not None


def test_what_waits_for_one_person_comes_in_one_mail(leave: Leave, pathologist: User) -> None:
    leave()
    leave("case.rejected")
    leave(recipient=pathologist)
    assert mail_notices() == 2
    assert sorted(message.subject for message in mail.outbox) == [
        "HematoVision: 2 notices",
        "HematoVision: A case came back to you",
    ]


def test_a_mail_is_sent_once(leave: Leave) -> None:
    leave()
    assert mail_notices() == 1
    assert mail_notices() == 0


def test_nobody_who_left_gets_mail(leave: Leave, technician: User) -> None:
    leave()
    User.objects.filter(pk=technician.pk).update(is_active=False)
    assert mail_notices() == 0


def test_a_mail_server_that_is_away_loses_nothing(leave: Leave, settings: Settings) -> None:
    notice = leave()
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
    assert mail_notices() == 0
    notice.refresh_from_db()
    assert (notice.mail_state, notice.mail_attempts) == (MailState.WAITING, 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert mail_notices() == 1


def test_a_mail_is_given_up_after_the_last_attempt(leave: Leave, settings: Settings) -> None:
    notice = leave(mail_attempts=ATTEMPTS - 1)
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
    mail_notices()
    notice.refresh_from_db()
    assert notice.mail_state == MailState.FAILED


def test_a_refused_address_is_not_tried_again(leave: Leave, settings: Settings) -> None:
    notice = leave()
    settings.EMAIL_BACKEND = f"{__name__}.RefusingBackend"
    mail_notices()
    notice.refresh_from_db()
    assert notice.mail_state == MailState.FAILED


def test_old_notices_go_unless_their_mail_waits(leave: Leave) -> None:
    long_ago = timezone.now() - KEPT * 2
    kept = leave(created_at=long_ago)
    leave("case.rejected", created_at=long_ago, mail_state=MailState.NONE)
    fresh = leave("case.failed", mail_state=MailState.NONE)
    assert remove_older_than(timezone.now() - KEPT) == 1
    assert set(Notice.objects.all()) == {kept, fresh}
