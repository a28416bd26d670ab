"""Disposals: what is to go by a rule, who proposed and approved it, and what became of each."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from classifier.models import Case, Slide, SmearImage
from classifier.models.protection import NEVER_DELETED
from retention.enums import DISPOSABLE, ItemState, RecordType
from retention.models.rules import RetentionRule


class Disposal(models.Model):
    """A proposal to dispose of records whose time is over; work once it is approved.

    ``lease_expires_at`` is until when a worker is at it. Once approved it can't be withdrawn, but
    each item is asked for anew when its turn comes, and is held back if anything speaks for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    record_type = models.CharField(
        max_length=20, choices=[(kind.value, kind.label) for kind in DISPOSABLE]
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_because = models.CharField(max_length=250, blank=True)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-proposed_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(record_type__in=[kind.value for kind in DISPOSABLE]),
                name="disposal_of_what_can_be_disposed_of",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False)
                & ~Q(approved_by=F("proposed_by")),
                name="disposal_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawn_because="")
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False, approved_at=None)
                & ~Q(withdrawn_because=""),
                name="disposal_withdrawn_before_approval",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(approved_at__isnull=False),
                name="disposal_finished_once_approved",
            ),
        ]
        triggers = [
            *NEVER_DELETED,
            pgtrigger.Protect(
                name="never_edited",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("record_type", "proposed_by", "proposed_at"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_record_type_display()}, proposed {self.proposed_at:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("retention:disposal", args=[self.pk])

    @property
    def standing(self) -> str:
        """How it stands, in a word."""
        if self.withdrawn_at:
            return "withdrawn"
        if self.finished_at:
            return "carried out"
        return "being carried out" if self.approved_at else "proposed"

    @property
    def kind(self) -> RecordType:
        """What it is of."""
        return RecordType(self.record_type)

    @property
    def is_proposal(self) -> bool:
        """True while somebody has to approve it."""
        return self.approved_at is None and self.withdrawn_at is None

    @property
    def is_in_work(self) -> bool:
        """True from its approval until every item was decided and erased."""
        return self.approved_at is not None and self.finished_at is None


class DisposalItem(models.Model):
    """One image or slide of a disposal; ``files`` and ``bytes`` are what it had when it went.

    ``counted_from`` is the day of the event from which its time counted, ``why`` says why it was
    held back.
    """

    disposal = models.ForeignKey(Disposal, on_delete=models.PROTECT, related_name="items")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    image = models.ForeignKey(SmearImage, on_delete=models.PROTECT, related_name="+", null=True)
    slide = models.ForeignKey(Slide, on_delete=models.PROTECT, related_name="+", null=True)
    rule = models.ForeignKey(RetentionRule, on_delete=models.PROTECT, related_name="+")
    counted_from = models.DateField()
    state = models.CharField(max_length=8, choices=ItemState.choices, default=ItemState.WAITING)
    why = models.CharField(max_length=250, blank=True)
    files = models.PositiveIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    decided_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["case__accession_number", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(image=None, slide__isnull=False) | Q(image__isnull=False, slide=None),
                name="disposal_item_is_one_thing",
            ),
            models.UniqueConstraint(fields=["disposal", "image"], name="disposal_image_once"),
            models.UniqueConstraint(fields=["disposal", "slide"], name="disposal_slide_once"),
            models.CheckConstraint(
                condition=Q(state__in=ItemState.values), name="disposal_item_known_state"
            ),
            models.CheckConstraint(
                condition=~Q(state=ItemState.KEPT) | ~Q(why=""), name="disposal_item_kept_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[ItemState.WAITING], decided_at=None)
                | Q(state__in=[ItemState.DECIDED, ItemState.ERASED, ItemState.KEPT])
                & Q(decided_at__isnull=False),
                name="disposal_item_decided_when",
            ),
        ]
        indexes = [models.Index(fields=["disposal", "state"])]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.image_id or self.slide_id}: {self.state}"

    @property
    def thing(self) -> SmearImage | Slide:
        """The image or the slide."""
        thing = self.image or self.slide
        if thing is None:
            raise ValueError("A disposal's item is an image or a slide.")
        return thing

    @property
    def original_name(self) -> str:
        """What the file was called when it came."""
        return self.thing.original_name
