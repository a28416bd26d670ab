"""Tokens by which programs act for a person."""

import uuid
from typing import TYPE_CHECKING

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from api.enums import Scope
from api.querysets import ApiTokenQuerySet
from classifier.models.protection import NEVER_DELETED

if TYPE_CHECKING:
    from datetime import datetime


class ApiToken(models.Model):
    """What a program shows to act for its owner: bounded by scopes, a time and the owner's duties.

    Only the SHA-256 of the secret is stored. A slow, salted hash protects what people think up,
    which can be guessed; 256 random bits can't be, and are checked at every request. `prefix`
    finds the row and names the token in the audit trail; it opens nothing. `last_used_at` is
    kept to the hour.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens"
    )
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=24, choices=Scope.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values) & Q(scopes__len__gt=0),
                name="api_token_known_scopes",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="api_token_lives_for_a_time"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="api_token_revoked_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["owner", "-created_at"])]
        triggers = [
            *NEVER_DELETED,
            pgtrigger.Protect(
                name="granted_once",
                operation=pgtrigger.UpdateOf(
                    "owner_id",
                    "name",
                    "prefix",
                    "secret_sha256",
                    "scopes",
                    "created_at",
                    "expires_at",
                ),
            ),
            pgtrigger.Protect(
                name="revoked_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__revoked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the token."""
        return self.prefix

    @property
    def means(self) -> str:
        """How the audit trail says that something was done by this token."""
        return f"API token {self.prefix}"

    @property
    def is_living(self) -> bool:
        """True unless it is revoked or expired."""
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def scope_labels(self) -> list[str]:
        """What it is for, for a reader."""
        return [str(Scope(scope).label) for scope in self.scopes]

    @property
    def ended_at(self) -> "datetime | None":
        """When it stopped to open anything; None while it lives."""
        if self.revoked_at is not None:
            return self.revoked_at
        return None if self.is_living else self.expires_at
