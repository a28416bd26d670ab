"""Pictures of the smear and the cells on them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from classifier.enums import CellOrigin, DetectedKind, ImageKind
from classifier.findings import Box
from classifier.models.case import Case
from classifier.models.protection import disposed_says_why
from classifier.models.slides import Slide
from classifier.querysets import CellQuerySet

_SLIDE_BOX = ("slide_x0", "slide_y0", "slide_x1", "slide_y1")


def master_path(image: "SmearImage", _file_name: str) -> str:
    """Return where the lossless, metadata-free master lies; names carry ids only."""
    return f"images/{image.case_id}/{image.pk}.png"


def thumbnail_path(image: "SmearImage", _file_name: str) -> str:
    """Return where the small preview lies."""
    return f"thumbnails/{image.case_id}/{image.pk}.webp"


class SmearImage(models.Model):
    """One picture of a case, re-encoded without metadata; frozen after submission.

    A field that was taken from a slide knows it, and its place in the slide's pixels. Scale and
    lens are known where the file stated them. Of one that was disposed of the row stays, with when
    and by which rule; its files are gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="images")
    file = models.FileField(upload_to=master_path)
    thumbnail = models.FileField(upload_to=thumbnail_path)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    kind = models.CharField(max_length=8, choices=ImageKind.choices)
    original_name = models.CharField(max_length=255)
    original_format = models.CharField(max_length=8)
    original_bytes = models.PositiveBigIntegerField()
    original_sha256 = models.CharField(max_length=64)
    notes = models.JSONField(default=list, blank=True, help_text="what was converted on upload")
    quality = models.JSONField(default=dict, blank=True, help_text="of a field, by its pixels")
    microns_per_pixel = models.FloatField(null=True, editable=False)
    objective_power = models.FloatField(null=True, editable=False)
    slide = models.ForeignKey(Slide, on_delete=models.PROTECT, related_name="fields", null=True)
    slide_x0 = models.PositiveIntegerField(null=True, editable=False)
    slide_y0 = models.PositiveIntegerField(null=True, editable=False)
    slide_x1 = models.PositiveIntegerField(null=True, editable=False)
    slide_y1 = models.PositiveIntegerField(null=True, editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)
    disposed_at = models.DateTimeField(null=True, editable=False)
    disposed_because = models.CharField(max_length=250, blank=True, editable=False)

    class Meta:
        verbose_name = "image"
        ordering = ["uploaded_at", "pk"]
        indexes = [models.Index(fields=["uploaded_by", "-uploaded_at"], name="image_added_lately")]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "original_sha256"], name="image_unique_within_case"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ImageKind.values), name="image_kind_known_value"
            ),
            disposed_says_why("image"),
            models.UniqueConstraint(
                fields=["slide", "slide_x0", "slide_y0", "slide_x1", "slide_y1"],
                name="image_region_taken_once",
            ),
            models.CheckConstraint(
                condition=Q(slide__isnull=True, **dict.fromkeys(_SLIDE_BOX, None))
                | Q(
                    slide__isnull=False,
                    slide_x1__gt=F("slide_x0"),
                    slide_y1__gt=F("slide_y0"),
                    slide_x0__isnull=False,
                    slide_y0__isnull=False,
                ),
                name="image_of_slide_knows_its_place",
            ),
        ]

    def __str__(self) -> str:
        return self.original_name

    @property
    def slide_box(self) -> Box | None:
        """Where on its slide the field lies, (x0, y0, x1, y1) in pixels of the slide."""
        if self.slide_id is None:
            return None
        x0, y0, x1, y1 = (getattr(self, name) for name in _SLIDE_BOX)
        return x0, y0, x1, y1

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do better in another picture of the field; empty if it is good."""
        return tuple(problem["advice"] for problem in self.quality.get("problems", ()))

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the image."""
        return self.case.accession_number


class Cell(models.Model):
    """A box on an image, in pixels from the top left; a single-cell image has one full box.

    The box is the machine's, or that of whoever added the cell; a reviewer's later one stands in
    his correction. `at_edge` cells are cut by the picture's edge; `repeat_of` is the cell of an
    overlapping field that is counted instead.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(SmearImage, on_delete=models.PROTECT, related_name="cells")
    x0 = models.PositiveIntegerField()
    y0 = models.PositiveIntegerField()
    x1 = models.PositiveIntegerField()
    y1 = models.PositiveIntegerField()
    origin = models.CharField(
        max_length=12, choices=CellOrigin.choices, default=CellOrigin.FULL_FRAME
    )
    detected_as = models.CharField(
        max_length=12, choices=DetectedKind.choices, default=DetectedKind.LEUKOCYTE
    )
    detection_confidence = models.FloatField(null=True)
    at_edge = models.BooleanField(default=False)
    repeat_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="repeats", null=True
    )

    objects = CellQuerySet.as_manager()

    class Meta:
        ordering = ["image__uploaded_at", "image_id", "y0", "x0"]
        constraints = [
            models.UniqueConstraint(
                fields=["image"],
                condition=Q(origin=CellOrigin.FULL_FRAME),
                name="cell_one_full_frame_per_image",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=CellOrigin.values), name="cell_origin_known_value"
            ),
            models.CheckConstraint(
                condition=Q(detected_as__in=DetectedKind.values),
                name="cell_detected_as_known_value",
            ),
            models.CheckConstraint(
                condition=~Q(origin=CellOrigin.MACHINE) | Q(detection_confidence__isnull=False),
                name="cell_found_by_machine_has_confidence",
            ),
            models.CheckConstraint(
                condition=~Q(repeat_of=F("pk")), name="cell_is_no_repeat_of_itself"
            ),
            models.CheckConstraint(
                condition=Q(x1__gt=F("x0"), y1__gt=F("y0")), name="cell_box_has_area"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} {self.box}"

    @property
    def box(self) -> Box:
        """The box as it was first drawn, (x0, y0, x1, y1) in pixels."""
        return self.x0, self.y0, self.x1, self.y1

    @property
    def box_now(self) -> Box:
        """The box that a reviewer drew, if one did; of a cell with findings."""
        drawn = self.human_box  # type: ignore[attr-defined]
        if not drawn or drawn["x0"] is None:
            return self.box
        return drawn["x0"], drawn["y0"], drawn["x1"], drawn["y1"]
