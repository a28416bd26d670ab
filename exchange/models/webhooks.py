"""Addresses that want to hear of reports, what they are told, and each attempt to tell them."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from exchange.enums import WebhookContent, WebhookState
from exchange.models.contents import ErasableContents, erased_says_what, only_erased
from exchange.querysets import WebhookQuerySet
from reports.models import Report


class Webhook(models.Model):
    """An address that is told of each report issued from ``reports_from`` on.

    Its secret follows from the site's key, the id and ``generation``; it is stored nowhere.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60, unique=True)
    url = models.URLField("address", max_length=500)
    content = models.CharField(
        max_length=12, choices=WebhookContent.choices, default=WebhookContent.REFERENCE
    )
    is_active = models.BooleanField(default=True)
    generation = models.PositiveSmallIntegerField(default=1)
    renewed_at = models.DateTimeField(null=True)
    reports_from = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(content__in=WebhookContent.values), name="webhook_content_known_value"
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return self.name

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return f"webhook {self.name}"


class WebhookDelivery(ErasableContents):
    """What one webhook is told of one report version; stored before it is sent, never reworded.

    Its id is the same at each attempt, so a receiver knows what it has had. While it is being
    sent ``lease_until`` says how long; after that somebody else may try.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="webhook_deliveries")
    event = models.CharField(max_length=24)
    media_type = models.CharField(max_length=40)
    body = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(
        max_length=10, choices=WebhookState.choices, default=WebhookState.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    problem = models.CharField(max_length=250, blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "report"], name="webhook_tells_each_report_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=WebhookState.values), name="webhook_state_known_value"
            ),
            models.CheckConstraint(
                condition=Q(state=WebhookState.SENDING, lease_until__isnull=False)
                | ~Q(state=WebhookState.SENDING) & Q(lease_until=None),
                name="webhook_being_sent_has_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state=WebhookState.DEAD) | ~Q(problem=""),
                name="webhook_dead_says_why",
            ),
            erased_says_what(
                "webhook_erased_says_what",
                body=b"",
                state__in=[WebhookState.DELIVERED, WebhookState.DEAD],
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=[WebhookState.QUEUED, WebhookState.SENDING]),
                name="webhook_unfinished",
            ),
        ]
        triggers = [
            *only_erased("body"),
            pgtrigger.Protect(
                name="never_reworded",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "webhook", "report", "event", "media_type", "created_at"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return f"webhook delivery {self.pk}"

    @property
    def last_attempt(self) -> "WebhookAttempt | None":
        """What was tried last, of rows that are at hand."""
        rows = list(self.attempt_rows.all())
        return rows[-1] if rows else None


class WebhookAttempt(models.Model):
    """What came of one attempt: the status that was answered, or why there was none."""

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.PROTECT, related_name="attempt_rows"
    )
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)
    detail = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["delivery", "pk"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.number}"
