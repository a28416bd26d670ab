"""Stops of a model: from when to when a version reads no case, and why."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.models.inference import ModelVersion
from classifier.models.protection import NEVER_DELETED


class ModelHold(models.Model):
    """A version that is kept from reading cases; one open at a time.

    What waits for it stays in its queue. `cause` is a sentence that whoever waits reads.
    """

    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="holds")
    cause = models.CharField(max_length=300)
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    since = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    ended_because = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_version"], condition=Q(ended_at=None), name="model_hold_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None, ended_because="")
                | Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(ended_because=""),
                name="model_hold_ended_by_somebody_with_reason",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"stop of {self.model_version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)
