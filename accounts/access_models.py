"""What one person holds beyond or short of a role, and the reviews of who may do what."""

import uuid
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.urls import reverse
from django.utils import timezone

from accounts.querysets import DutyExceptionQuerySet

NEVER_DELETED = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]
APPEND_ONLY = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


class DutyException(models.Model):
    """A duty that one person has beyond their role, or that is withheld from them, and why.

    It holds from the decision until it is ended, or until its time is up.
    """

    user = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="duty_exceptions"
    )
    duty = models.CharField(max_length=60)
    is_granted = models.BooleanField(help_text="given beyond the role; else withheld")
    reason = models.TextField()
    decided_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+", null=True
    )
    ended_at = models.DateTimeField(null=True)
    end_reason = models.TextField(blank=True)

    objects: ClassVar[Any] = DutyExceptionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ("-decided_at", "-pk")
        triggers = NEVER_DELETED
        constraints = (
            models.UniqueConstraint(
                name="duty_exception_one_open",
                fields=("user", "duty"),
                condition=Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="duty_exception_ended_by_somebody",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
            models.CheckConstraint(
                name="duty_exception_ends_after_it_began",
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("decided_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.duty} {'given to' if self.is_granted else 'withheld from'} {self.user_id}"

    @property
    def is_in_force(self) -> bool:
        """Tell whether it holds now."""
        lasts = self.expires_at is None or self.expires_at > timezone.now()
        return self.ended_at is None and lasts


class AccessReview(models.Model):
    """A dated look at every account: does this person still need what they may do?

    Finished, it never changes again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    opened_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    due_on = models.DateField()
    finished_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+", null=True
    )
    finished_at = models.DateTimeField(null=True)
    next_due_on = models.DateField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ("-opened_at",)
        triggers = (
            *NEVER_DELETED,
            pgtrigger.Protect(
                name="finished_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__finished_at__isnull=False),
            ),
        )
        constraints = (
            models.UniqueConstraint(
                ExpressionWrapper(Q(finished_at__isnull=True), output_field=BooleanField()),
                name="access_review_one_open",
                condition=Q(finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="access_review_finished_by_somebody",
                condition=Q(
                    finished_at__isnull=True, finished_by__isnull=True, next_due_on__isnull=True
                )
                | Q(
                    finished_at__isnull=False, finished_by__isnull=False, next_due_on__isnull=False
                ),
            ),
        )

    def __str__(self) -> str:
        return f"Access review of {self.opened_at:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("accounts:access_review", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """How the audit trail names this review."""
        return f"{self.opened_at:%Y-%m-%d}"


class AccessReviewLine(models.Model):
    """One account as it stood when the review was opened."""

    review = models.ForeignKey(AccessReview, on_delete=models.PROTECT, related_name="lines")
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    full_name = models.CharField(max_length=250)
    email = models.EmailField()
    state = models.CharField(max_length=20)
    role = models.CharField(max_length=40, blank=True)
    duties = models.JSONField(default=list)
    given = models.JSONField(default=list)
    withheld = models.JSONField(default=list)
    last_login = models.DateTimeField(null=True)
    has_second_factor = models.BooleanField()
    # Reviews from before it was noted hold nothing here.
    ways_in = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        default_permissions = ()
        ordering = ("full_name", "email")
        triggers = APPEND_ONLY
        constraints = (
            models.UniqueConstraint(
                name="access_review_line_once_an_account", fields=("review", "user")
            ),
        )

    def __str__(self) -> str:
        return self.full_name


class AccessDecision(models.Model):
    """What a reviewer said of one account: it stays as it is, or what was changed. Latest wins."""

    class Verdict(models.TextChoices):
        """What became of an account."""

        CONFIRMED = "confirmed", "Stays as it is"
        CHANGED = "changed", "Was changed"

    line = models.ForeignKey(AccessReviewLine, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.TextField()
    decided_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    decider_name = models.CharField(max_length=250)
    decided_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        ordering = ("pk",)
        triggers = APPEND_ONLY
        constraints = (
            models.CheckConstraint(
                name="access_decision_verdict_known",
                condition=Q(verdict__in=("confirmed", "changed")),
            ),
            models.CheckConstraint(name="access_decision_has_a_reason", condition=~Q(reason="")),
        )

    def __str__(self) -> str:
        return f"{self.verdict} by {self.decider_name}"
