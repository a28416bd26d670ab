"""Messages of a disposal: batches of one month and one other system."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from classifier.models.protection import NEVER_DELETED
from exchange.selectors.keeping import TABLES
from retention.enums import ItemState
from retention.models.disposals import Disposal
from retention.models.rules import RetentionRule

SAID = ("disposal", "table", "system", "month", "rule", "messages")


class MessageBatch(models.Model):
    """Up to a hundred messages, decided together; ``messages`` are their ids in order.

    Afterwards ``kept`` says by id why a message was held back, ``gone`` how many went. ``sha256``
    is the hash over a line "id sha256 bytes" for each of these, in the order of their ids.
    """

    disposal = models.ForeignKey(Disposal, on_delete=models.PROTECT, related_name="batches")
    table = models.CharField(
        max_length=8, choices=[(table.name, table.words) for table in TABLES.values()]
    )
    system = models.CharField(max_length=100, blank=True)
    month = models.DateField()
    rule = models.ForeignKey(RetentionRule, on_delete=models.PROTECT, related_name="+")
    messages = ArrayField(models.UUIDField())
    state = models.CharField(max_length=8, choices=ItemState.choices, default=ItemState.WAITING)
    kept = models.JSONField(default=dict)
    gone = models.PositiveSmallIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["month", "table", "system", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state=ItemState.WAITING, decided_at=None, gone=0)
                | Q(state=ItemState.KEPT, decided_at__isnull=False, gone=0)
                | Q(state=ItemState.ERASED, decided_at__isnull=False, gone__gt=0) & ~Q(sha256=""),
                name="message_batch_says_what_went",
            ),
        ]
        indexes = [models.Index(fields=["disposal", "state"])]
        triggers = [
            *NEVER_DELETED,
            pgtrigger.Protect(
                name="never_edited",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*SAID),
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.messages)} {self.audit_label}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return f"messages {self.get_table_display()}, {self.month:%Y-%m}, {self.system}"
