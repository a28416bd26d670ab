"""Mail, sent outside the request."""

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from accounts import invitations
from accounts.enums import AccountState
from accounts.models import User


@shared_task(autoretry_for=(OSError,), retry_backoff=True, retry_jitter=True, max_retries=5)
def mail_invitation(user_id: int) -> None:
    """Send an invited person their link, unless they joined meanwhile.

    The link is made here, so that no message of the broker holds one.
    """
    user = User.objects.get(pk=user_id)
    if user.state != AccountState.INVITED:
        return
    context = {
        "user": user,
        "link": invitations.make_invitation_link(user),
        "days": settings.INVITATION_TIMEOUT.days,
    }
    body = render_to_string("accounts/email/invitation.txt", context)
    send_mail("Your HematoVision account", body, None, [user.email])
