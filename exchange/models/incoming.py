"""Messages that came in, as they came, and what became of them."""

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from classifier.models import Case
from classifier.models.protection import APPEND_ONLY
from exchange.enums import IncomingOutcome, Protocol, SettlementKind
from exchange.models.contents import (
    MARKS,
    ErasableContents,
    erased_says_what,
    erased_with,
    only_erased,
)
from exchange.models.senders import Sender
from exchange.querysets import IncomingMessageQuerySet

MERGE = "ADT^A40"
"""The type of messages that propose to merge two patient records."""


class IncomingMessage(ErasableContents):
    """One message with its reply; the row is written once, in the transaction of its effect.

    `digest` is SHA-256 of what the message says, without the time in MSH-7: the same control ID
    with the same digest is the same message, sent again. What is too large to keep has no `raw`.
    After a disposal `raw` is empty, and of `replies` the segments are left that name nobody.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="messages", null=True)
    received_at = models.DateTimeField(auto_now_add=True)
    client_address = models.GenericIPAddressField(null=True)
    protocol = models.CharField(max_length=5, choices=Protocol.choices)
    message_type = models.CharField(max_length=20, blank=True)
    control_id = models.CharField(max_length=199, blank=True)
    raw = models.BinaryField()
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    outcome = models.CharField(max_length=10, choices=IncomingOutcome.choices)
    error_code = models.CharField(max_length=3, blank=True)
    error_location = models.CharField(max_length=40, blank=True)
    explanation = models.TextField(blank=True)
    notes = models.JSONField(default=list)
    replies = ArrayField(models.BinaryField(), default=list)
    cases = models.ManyToManyField(Case, related_name="incoming_messages", through="MessageCase")

    objects = IncomingMessageQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "control_id", "digest"],
                condition=~Q(outcome=IncomingOutcome.REFUSED),
                name="incoming_message_takes_effect_once",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=IncomingOutcome.values), name="incoming_known_outcome"
            ),
            models.CheckConstraint(
                condition=Q(outcome=IncomingOutcome.ACCEPTED) | ~Q(explanation=""),
                name="incoming_refusal_says_why",
            ),
            erased_says_what("incoming_erased_says_what", raw=b""),
        ]
        indexes = [models.Index(fields=["outcome", "-received_at"])]
        triggers = [
            *only_erased("raw", "replies"),
            pgtrigger.Protect(
                name="never_reworded",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["raw", "replies", *MARKS]),
            ),
        ]

    def __str__(self) -> str:
        return self.audit_label

    def get_absolute_url(self) -> str:
        return reverse("exchange:incoming_message", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the message."""
        return f"{self.message_type or 'Message'} {self.control_id}".strip()

    @property
    def is_merge(self) -> bool:
        """True if it proposes to merge two patient records."""
        return self.message_type == MERGE

    @property
    def is_waiting(self) -> bool:
        """True while a person has to settle it."""
        return self.outcome == IncomingOutcome.PARKED and not hasattr(self, "settlement")


class MessageCase(models.Model):
    """That a message concerned a case."""

    message = models.ForeignKey(
        IncomingMessage, on_delete=models.PROTECT, related_name="case_links"
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="message_links")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "case"], name="message_names_case_once")
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.message}: {self.case}"


class PlacedOrder(models.Model):
    """The order of another system from which a case came; it is known by its placer number."""

    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="orders")
    placer_number = models.CharField(max_length=60)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="placed_order")
    message = models.ForeignKey(IncomingMessage, on_delete=models.PROTECT, related_name="+")
    test_code = models.CharField(max_length=60)
    test_name = models.CharField(max_length=200, blank=True)
    placed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-placed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "placer_number"], name="placed_order_once_per_sender"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.placer_number


class SpecimenMatch(models.Model):
    """That a person named the case of an unknown specimen; `position` counts them from 1."""

    message = models.ForeignKey(IncomingMessage, on_delete=models.PROTECT, related_name="matches")
    position = models.PositiveIntegerField()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    matched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    matched_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["message", "position"]
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="specimen_matched_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="specimen_match_says_why"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.message}: specimen {self.position}"


class Settlement(models.Model):
    """What a person decided about a message that waited for one."""

    message = models.OneToOneField(
        IncomingMessage, on_delete=models.PROTECT, related_name="settlement"
    )
    kind = models.CharField(max_length=10, choices=SettlementKind.choices)
    reason = models.TextField()
    settled_at = models.DateTimeField(auto_now_add=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    replies = ArrayField(models.BinaryField(), default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=SettlementKind.values), name="settlement_known_kind"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="settlement_says_why"),
        ]
        triggers = erased_with("exchange_incomingmessage", replies="'{}'")

    def __str__(self) -> str:
        return f"{self.message}: {self.get_kind_display()}"
