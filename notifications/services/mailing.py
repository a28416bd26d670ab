"""Sending what waits: one mail to a person with all that waits for them.

Rows are the queue. A mail may come twice if the process dies between sending and noting it;
none is lost.
"""

import logging
from collections.abc import Sequence
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from notifications.enums import MailState
from notifications.models import Notice

logger = logging.getLogger(__name__)

ATTEMPTS = 10
SHOWN = 20


def mail_notices() -> int:
    """Send a mail to everybody for whom notices wait; return how many mails went out."""
    people = Notice.objects.to_mail().order_by().values_list("recipient", flat=True).distinct()
    return sum(_mail_to(person) for person in list(people))


@transaction.atomic
def _mail_to(recipient_id: int) -> bool:
    """Send one person's notices under their rows' locks; another worker's are left to it."""
    waiting = Notice.objects.to_mail().filter(recipient=recipient_id)
    found = waiting.select_related("recipient", "event")
    notices = list(found.select_for_update(of=("self",), skip_locked=True))
    if not notices:
        return False
    try:
        _send(notices)
    except SMTPRecipientsRefused:
        return _put_off(notices, is_final=True)
    except OSError:
        return _put_off(notices, is_final=False)
    Notice.objects.filter(pk__in=[item.pk for item in notices]).update(
        mail_state=MailState.SENT, mailed_at=timezone.now()
    )
    return True


def _send(notices: Sequence[Notice]) -> None:
    """Write titles and links alone: no name, no number, nothing of the result."""
    person = notices[0].recipient
    context = {
        "person": person,
        "lines": [
            (item.title, f"{settings.SITE_URL}{item.get_absolute_url()}") for item in notices
        ][:SHOWN],
        "more": max(0, len(notices) - SHOWN),
        "site": settings.SITE_URL,
    }
    subject = notices[0].title if len(notices) == 1 else f"{len(notices)} notices"
    body = render_to_string("notifications/email/notices.txt", context)
    send_mail(f"HematoVision: {subject}", body, None, [person.email])


def _put_off(notices: Sequence[Notice], *, is_final: bool) -> bool:
    """Leave them for the next round, or give up after the last attempt or a refusal."""
    for notice in notices:
        notice.mail_attempts += 1
        if is_final or notice.mail_attempts >= ATTEMPTS:
            notice.mail_state = MailState.FAILED
    Notice.objects.bulk_update(notices, ["mail_attempts", "mail_state"])
    logger.warning("Mail to account %s could not be sent.", notices[0].recipient_id)
    return False
