"""Fixed words of notices."""

from django.db import models


class MailState(models.TextChoices):
    """Where the mail of a notice stands."""

    NONE = "none", "no mail"
    WAITING = "waiting", "waiting"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"
