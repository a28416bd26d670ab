"""Graded morphology: the laboratory's features with their cut-offs, and what was found."""

import uuid
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from classifier.enums import CellLine, MorphologyUnit
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from classifier.models.review import Review

_PERCENT = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))]


class MorphologyFeature(models.Model):
    """One version of a feature and its cut-offs; a change is a new version, approved by name.

    A feature counted in percent has a cut-off for each grade in use; one that is judged by eye
    has none and uses all grades. Versions without a proposer were shipped with the product and
    hold, unconfirmed, until the laboratory approves a version.
    """

    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=60)
    line = models.CharField("cell line", max_length=8, choices=CellLine.choices)
    unit = models.CharField(
        "counted in",
        max_length=12,
        choices=MorphologyUnit.choices,
        blank=True,
        help_text="Empty if the grade is judged by eye; then there are no cut-offs.",
    )
    one_above = models.DecimalField(
        "1+ above", max_digits=5, decimal_places=2, null=True, blank=True, validators=_PERCENT
    )
    two_from = models.DecimalField(
        "2+ from", max_digits=5, decimal_places=2, null=True, blank=True, validators=_PERCENT
    )
    three_above = models.DecimalField(
        "3+ above", max_digits=5, decimal_places=2, null=True, blank=True, validators=_PERCENT
    )
    description = models.CharField(max_length=250, blank=True)
    source = models.CharField(max_length=250)
    is_common = models.BooleanField(
        "shown first",
        default=False,
        help_text="Every film is checked for it.",
    )
    position = models.PositiveSmallIntegerField(default=100)
    version = models.PositiveSmallIntegerField(default=1)
    effective_from = models.DateField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    proposed_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "name", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "version"], name="morphology_feature_version_unique"
            ),
            models.CheckConstraint(
                condition=Q(line__in=CellLine.values) & Q(unit__in=["", *MorphologyUnit.values]),
                name="morphology_feature_known_values",
            ),
            models.CheckConstraint(
                condition=Q(unit="", one_above=None, two_from=None, three_above=None)
                | ~Q(unit="") & ~Q(one_above=None, two_from=None, three_above=None),
                name="morphology_feature_cut_offs_have_unit",
            ),
            models.CheckConstraint(
                condition=(
                    Q(one_above=None)
                    | (Q(two_from=None) | Q(two_from__gte=F("one_above")))
                    & (Q(three_above=None) | Q(three_above__gte=F("one_above")))
                )
                & (Q(two_from=None) | Q(three_above=None) | Q(three_above__gte=F("two_from"))),
                name="morphology_feature_cut_offs_rise",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="morphology_feature_approval_whole",
            ),
            models.CheckConstraint(
                condition=Q(retired_by=None, retired_at=None)
                | Q(retired_by__isnull=False, retired_at__isnull=False),
                name="morphology_feature_retirement_whole",
            ),
        ]
        triggers = [
            *NEVER_DELETED,
            pgtrigger.ReadOnly(
                name="says_what_it_said",
                exclude=["approved_by", "approved_at", "retired_by", "retired_at"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the version."""
        return f"{self.code} v{self.version}"

    @property
    def is_approved(self) -> bool:
        """True once a named person has approved it for this laboratory."""
        return self.approved_at is not None

    @property
    def grades(self) -> tuple[int, ...]:
        """The grades in use; 0 means looked for and absent, or below the first cut-off."""
        if not self.unit:
            return 0, 1, 2, 3
        cut_offs = (self.one_above, self.two_from, self.three_above)
        return 0, *(grade for grade, cut_off in enumerate(cut_offs, 1) if cut_off is not None)

    def grade_of(self, count: Decimal) -> int | None:
        """Return the grade that follows from a count in `unit`; None if judged by eye.

        1+ and 3+ lie above their cut-offs, 2+ begins at its own (ICSH 2015: "5-20 %, > 20 %").
        """
        if not self.unit:
            return None
        if self.three_above is not None and count > self.three_above:
            return 3
        if self.two_from is not None and count >= self.two_from:
            return 2
        return int(self.one_above is not None and count > self.one_above)


class MorphologyFinding(models.Model):
    """How far a reviewer found a feature; append-only, the latest row of a case's feature counts.

    A row with `is_withdrawn` takes back whatever was said. Rows of one step share `action_id`.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="morphology")
    feature = models.ForeignKey(
        MorphologyFeature, on_delete=models.PROTECT, related_name="findings"
    )
    grade = models.PositiveSmallIntegerField(null=True)
    count = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, help_text="in the feature's unit"
    )
    is_overruled = models.BooleanField(
        default=False, help_text="the grade is not the one that follows from the count"
    )
    comment = models.CharField(max_length=250, blank=True)
    is_withdrawn = models.BooleanField(default=False)
    action_id = models.UUIDField(default=uuid.uuid4)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["action_id", "feature"], name="morphology_finding_once_a_step"
            ),
            models.CheckConstraint(
                condition=Q(is_withdrawn=False, grade__isnull=False, grade__lte=3)
                | Q(is_withdrawn=True, grade=None, count=None, is_overruled=False, comment=""),
                name="morphology_finding_graded_or_withdrawn",
            ),
            models.CheckConstraint(
                condition=Q(count=None, is_overruled=False) | Q(count__gte=0, count__lte=100),
                name="morphology_finding_count_is_percent",
            ),
        ]
        indexes = [models.Index(fields=["review", "feature", "-id"])]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.feature_id}: {'withdrawn' if self.is_withdrawn else self.grade}"
