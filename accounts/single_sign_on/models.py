"""Who is who at the provider: one row for each connection of an account with an identity."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class IdentityLink(models.Model):
    """An account, and the identity at a provider that opens it, until somebody ends that.

    An identity is its issuer and subject: an address may be given to somebody else, these never
    are (OpenID Connect Core 1.0, section 5.7).
    """

    class Origin(models.TextChoices):
        """How the account and the identity came together."""

        INVITATION = "invitation", "The invited address, confirmed by the provider"
        OWNER = "owner", "Its owner, signed in here"
        GROUP = "group", "A group at the provider that gives a role here"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="identity_links"
    )
    issuer = models.URLField(max_length=500)
    subject = models.CharField(max_length=255)
    email = models.EmailField(blank=True)
    origin = models.CharField(max_length=16, choices=Origin.choices)
    linked_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        app_label = "accounts"
        default_permissions = ()
        ordering = ("-linked_at",)
        constraints = (
            models.UniqueConstraint(
                name="identity_opens_one_account",
                fields=("issuer", "subject"),
                condition=Q(ended_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="account_has_one_identity",
                fields=("user",),
                condition=Q(ended_at__isnull=True),
            ),
        )
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
