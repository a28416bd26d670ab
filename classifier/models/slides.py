"""Whole slides of a case: their files, what is known of them, and how far work on them is."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from classifier.enums import SlideStatus
from classifier.models.case import Case
from classifier.models.protection import disposed_says_why
from classifier.querysets import SlideQuerySet
from vault.models import StoredFile


def slide_thumbnail_path(slide: "Slide", _file_name: str) -> str:
    """Return where the small preview lies; names carry ids only."""
    return f"thumbnails/{slide.case_id}/slide-{slide.pk}.webp"


class Slide(models.Model):
    """A scanned slide; its files are kept whole and read by regions.

    Of what the files say only what stands here is known outside them: label, overview photograph
    and the scanner's notes of patient and user are never read. `original_sha256` is that of the
    file, or of the sorted hashes where the slide is a series of files.

    `fields_wanted` is how many fields a worker still has to take, `lease_expires_at` until when
    one is at it, and `attempt` how often that was begun. `problem` says why the slide was refused,
    or why fewer fields were taken than were wanted. A slide of a case that was registered again
    has no files of its own: they are `kept_by` the slide that came first.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="slides")
    status = models.CharField(
        max_length=10, choices=SlideStatus.choices, default=SlideStatus.UPLOADING
    )
    problem = models.TextField(blank=True)
    original_name = models.CharField(max_length=255)
    original_bytes = models.PositiveBigIntegerField()
    original_sha256 = models.CharField(max_length=64, blank=True)
    thumbnail = models.FileField(upload_to=slide_thumbnail_path, blank=True)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    microns_per_pixel = models.FloatField(null=True, editable=False)
    objective_power = models.FloatField(null=True, editable=False)
    vendor = models.CharField(max_length=64, blank=True)
    fields_wanted = models.PositiveSmallIntegerField(default=0, editable=False)
    fields_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    attempt = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    kept_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="copies", null=True, editable=False
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)
    last_part_at = models.DateTimeField(auto_now_add=True)
    disposed_at = models.DateTimeField(null=True, editable=False)
    disposed_because = models.CharField(max_length=250, blank=True, editable=False)

    objects = SlideQuerySet.as_manager()

    class Meta:
        ordering = ["uploaded_at", "pk"]
        indexes = [models.Index(fields=["uploaded_by", "-uploaded_at"], name="slide_added_lately")]
        constraints = [
            disposed_says_why("slide"),
            models.CheckConstraint(
                condition=Q(status__in=SlideStatus.values), name="slide_status_known_value"
            ),
            models.UniqueConstraint(
                fields=["case", "original_sha256"],
                condition=Q(status=SlideStatus.READY),
                name="slide_unique_within_case",
            ),
            models.CheckConstraint(
                condition=~Q(status=SlideStatus.READY)
                | Q(width__isnull=False, height__isnull=False),
                name="slide_ready_has_size",
            ),
            models.CheckConstraint(
                condition=~Q(status=SlideStatus.REFUSED) | ~Q(problem=""),
                name="slide_refused_says_why",
            ),
            models.CheckConstraint(
                condition=Q(fields_wanted=0)
                | Q(status=SlideStatus.READY, fields_asked_by__isnull=False),
                name="slide_fields_are_wanted_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.original_name

    def get_absolute_url(self) -> str:
        return reverse("classifier:slide", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the slide."""
        return self.case.accession_number

    @property
    def folder(self) -> str:
        """The folder of the store in which the slide's files lie, and no others."""
        keeper = self.kept_by or self
        return f"slides/{keeper.case_id}/{keeper.pk}"

    def stored_files(self) -> list[list[str]]:
        """Return each file as the names of its pieces; of a series any file will do to open it."""
        return [file.pieces() for file in self.files.all()]

    @property
    def is_ready(self) -> bool:
        """True once the slide was checked and can be looked at."""
        return self.status == SlideStatus.READY

    @property
    def is_in_work(self) -> bool:
        """True while the slide may change without anybody's doing."""
        return self.status == SlideStatus.CHECKING or self.fields_wanted > 0


class SlideFile(models.Model):
    """A file of a slide, and how much of it has arrived."""

    slide = models.ForeignKey(Slide, on_delete=models.CASCADE, related_name="files")
    number = models.PositiveSmallIntegerField()
    original_name = models.CharField(max_length=255)
    modified = models.BigIntegerField(help_text="at the sender's, milliseconds since 1970")
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["slide", "number"]
        constraints = [
            models.UniqueConstraint(fields=["slide", "number"], name="slide_file_number_unique"),
            models.CheckConstraint(
                condition=Q(received__lte=F("size"), size__gt=0),
                name="slide_file_received_up_to_its_size",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slide_id} {self.number}"

    def piece_name(self, offset: int) -> str:
        """The name of the piece that begins at ``offset``; it says nothing of the patient."""
        return f"{self.slide.folder}/{self.number}-{offset:013d}"

    def pieces(self) -> list[str]:
        """Return the names of the pieces in which the file is stored, in order.

        A file that arrived before files were sealed lies in one piece, perhaps in no list.
        """
        whole = f"{self.slide.folder}/{self.number}"
        stored = StoredFile.objects.filter(name__startswith=f"{whole}-").order_by("name")
        return list(stored.values_list("name", flat=True)) or [whole]
