"""Outgoing messages, stored before they are sent, and what happened to each."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from exchange.enums import (
    FINISHED_STATES,
    PARKED_STATES,
    WAITING_STATES,
    Charset,
    DeliveryStep,
    OutboundState,
)
from exchange.models.contents import (
    ErasableContents,
    erased_says_what,
    erased_with,
    only_erased,
)
from exchange.models.peers import Peer
from exchange.querysets import OutboundMessageQuerySet
from reports.models import Report

WHAT_IS_SAID = (
    "peer",
    "report",
    "sequence",
    "control_id",
    "charset",
    "sha256",
    "created_at",
    "replaces",
)


class OutboundMessage(ErasableContents):
    """One message for one receiver about one report version; what it says never changes.

    It is stored before anything is sent, and sent again under the same control id until the
    receiver answers. ``sequence`` is the order in which a receiver's messages were written. A
    message that could not be written has no body and says why. A disposal leaves no body either.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="messages")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="messages")
    sequence = models.PositiveBigIntegerField()
    control_id = models.CharField(max_length=20)
    charset = models.CharField(max_length=16, choices=Charset.choices)
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, related_name="replaced_by", null=True
    )
    state = models.CharField(
        max_length=10, choices=OutboundState.choices, default=OutboundState.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    problem = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = OutboundMessageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-sequence"]
        constraints = [
            models.UniqueConstraint(
                fields=["peer", "control_id"], name="outbound_control_id_unique_per_peer"
            ),
            models.UniqueConstraint(
                fields=["peer", "sequence"], name="outbound_sequence_unique_per_peer"
            ),
            models.UniqueConstraint(
                fields=["peer", "report"],
                condition=~Q(state=OutboundState.REPLACED),
                name="outbound_one_standing_message_per_report",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OutboundState.values), name="outbound_state_known_value"
            ),
            models.CheckConstraint(
                condition=~Q(sha256="") | ~Q(state__in=[*WAITING_STATES, OutboundState.ACCEPTED]),
                name="outbound_only_what_was_written_is_sent",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=PARKED_STATES) | ~Q(problem=""),
                name="outbound_parked_says_why",
            ),
            erased_says_what(
                "outbound_erased_says_what", body=b"", problem="", state__in=FINISHED_STATES
            ),
        ]
        indexes = [
            models.Index(
                fields=["peer", "sequence"],
                condition=Q(state__in=[*WAITING_STATES, *PARKED_STATES]),
                name="outbound_unfinished",
            ),
        ]
        triggers = [
            *only_erased("body"),
            pgtrigger.Protect(
                name="never_reworded",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*WHAT_IS_SAID),
            ),
        ]

    def __str__(self) -> str:
        return self.control_id

    def get_absolute_url(self) -> str:
        return reverse("exchange:message", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the message."""
        return f"message {self.control_id}"

    @property
    def is_parked(self) -> bool:
        """True while a person has to decide what becomes of it."""
        return self.state in PARKED_STATES


class DeliveryEvent(models.Model):
    """One step of a message's way, with the receiver's answer where there was one."""

    message = models.ForeignKey(OutboundMessage, on_delete=models.PROTECT, related_name="events")
    attempt = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=12, choices=DeliveryStep.choices)
    at = models.DateTimeField(default=timezone.now)
    detail = models.TextField(blank=True)
    answer = models.TextField(blank=True)

    class Meta:
        ordering = ["message", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(step__in=DeliveryStep.values), name="delivery_step_known_value"
            ),
        ]
        triggers = erased_with("exchange_outboundmessage", detail="''", answer="''")

    def __str__(self) -> str:
        return f"{self.message} {self.attempt} {self.step}"
