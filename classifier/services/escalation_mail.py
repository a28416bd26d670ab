"""Word by mail that a critical result was told nobody in time; it names no patient."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from classifier.models import CriticalAlert, Laboratory


def send_escalation(alert_id: int) -> None:
    """Write to the laboratory's escalation address, unless somebody was told meanwhile.

    The message holds the address of the page, which asks for a log-in; no name, no number, no
    result.
    """
    alert = CriticalAlert.objects.select_related("case").get(pk=alert_id)
    laboratory = Laboratory.current()
    if not laboratory.escalation_email or alert.waiting_since is None:
        return
    context = {
        "alert": alert,
        "laboratory": laboratory,
        "link": f"{settings.SITE_URL}{alert.case.get_absolute_url()}",
    }
    body = render_to_string("classifier/email/escalation.txt", context)
    send_mail("Critical result not told", body, None, [laboratory.escalation_email])
