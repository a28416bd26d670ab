"""Mail, sent outside the request, the daily anchor, the nightly look at row history."""

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from accounts import access_reviews, audit, invitations, mass_reading
from accounts.anchoring import anchors, outside
from accounts.enums import AccountState
from accounts.history import explaining
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


@shared_task
def anchor_audit_trail() -> None:
    """Anchor the trail unless the day has its anchor, and bring anchors outside."""
    anchors.anchor_today()
    outside.carry_out()


@shared_task(autoretry_for=(OSError,), retry_backoff=True, retry_jitter=True, max_retries=5)
def mail_factor_removed(user_id: int) -> None:
    """Tell somebody that an administrator took their second factor; wrongly, perhaps."""
    user = User.objects.get(pk=user_id)
    context = {"user": user, "site": settings.SITE_URL}
    body = render_to_string("accounts/email/factor_removed.txt", context)
    send_mail("Your second factor was removed", body, None, [user.email])


@shared_task(autoretry_for=(OSError,), retry_backoff=True, retry_jitter=True, max_retries=5)
def mail_credentials_changed(user_id: int, action: str) -> None:
    """Tell somebody what was changed of what opens their account; by somebody else, perhaps."""
    user = User.objects.get(pk=user_id)
    context = {"user": user, "site": settings.SITE_URL, "what": audit.ACTIONS[action]}
    body = render_to_string("accounts/email/credentials_changed.txt", context)
    send_mail("About your HematoVision account", body, None, [user.email])


@shared_task
def check_row_history() -> None:
    """Tell administrators of rows that changed without an entry in the audit trail."""
    explaining.report_unexplained()


@shared_task
def watch_access_reviews() -> None:
    """Tell once of an access review that is overdue."""
    access_reviews.tell_overdue()


@shared_task
def watch_readings() -> None:
    """Tell of a person who reads unusually many patients' records."""
    mass_reading.tell_of_mass_reading()
