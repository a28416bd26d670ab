"""Critical results: the alert, what it said at each moment, and whom one tried to tell."""

import uuid

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.critical import CriticalFinding, needing_call
from classifier.enums import CallChannel, CallOutcome
from classifier.models.case import Case
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED

SETTLING = (CallOutcome.READ_BACK, CallOutcome.FAILED)
"""Outcomes after which a case may be signed: read back, or given up with a reason."""


@pghistory.track()
class CriticalAlert(models.Model):
    """That a case holds critical findings; open until it holds none.

    `waiting_since` is when what nobody has been told yet was found; empty once all was told.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="critical_alerts")
    raised_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(closed_at__isnull=True),
                name="critical_alert_one_open",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(waiting_since__isnull=True),
                name="critical_alert_closed_waits_for_nobody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["waiting_since"],
                condition=Q(waiting_since__isnull=False),
                name="critical_alert_waiting",
            )
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"critical alert of {self.case_id}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the alert."""
        return f"{self.case.accession_number} critical result"

    @property
    def is_escalated(self) -> bool:
        """True if it was passed on because nobody was told in time."""
        if self.waiting_since is None or self.escalated_at is None:
            return False
        return self.escalated_at >= self.waiting_since

    def told_findings(self) -> list[CriticalFinding]:
        """Return what was read back, or given up telling for a reason."""
        calls = self.calls.filter(outcome__in=SETTLING).select_related("snapshot")
        return [item for call in calls for item in call.snapshot.says]


class CriticalSnapshot(models.Model):
    """The critical findings of a case from one moment on; append-only, the latest holds."""

    alert = models.ForeignKey(CriticalAlert, on_delete=models.PROTECT, related_name="snapshots")
    findings = models.JSONField()
    sha256 = models.CharField(max_length=64)
    taken_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.alert} {self.sha256[:8]}"

    @property
    def says(self) -> tuple[CriticalFinding, ...]:
        """The findings as values."""
        return tuple(CriticalFinding.from_json(item) for item in self.findings)

    @property
    def to_tell(self) -> tuple[CriticalFinding, ...]:
        """The findings that somebody has to be told."""
        return needing_call(self.says)


class CriticalCall(models.Model):
    """One attempt to tell somebody a critical result; append-only, all attempts are a log.

    The key is chosen by the client, so that a form sent twice is one attempt.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(CriticalAlert, on_delete=models.PROTECT, related_name="calls")
    snapshot = models.ForeignKey(CriticalSnapshot, on_delete=models.PROTECT, related_name="calls")
    called_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    caller_name = models.CharField(max_length=220)
    called_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    recipient_name = models.CharField(max_length=150, blank=True)
    recipient_role = models.CharField(max_length=100, blank=True)
    channel = models.CharField(max_length=12, choices=CallChannel.choices)
    contact = models.CharField(max_length=100, blank=True)
    outcome = models.CharField(max_length=16, choices=CallOutcome.choices)
    reason = models.CharField(max_length=500, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["called_at", "recorded_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=CallOutcome.values, channel__in=CallChannel.values),
                name="critical_call_known_values",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=[CallOutcome.READ_BACK, CallOutcome.NOT_READ_BACK])
                | ~Q(recipient_name="") & ~Q(recipient_role=""),
                name="critical_call_told_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=CallOutcome.FAILED) | ~Q(reason=""),
                name="critical_call_failed_for_a_reason",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.alert} {self.outcome}"
