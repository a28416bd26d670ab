"""The laboratory's own data: letterhead, targets and approved limits."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from classifier.enums import LEUKOCYTES, WHITE_COUNT, AgeUnit, Quantity
from classifier.models.limits import ANALYTES, COUNTS, AgeBand, ApprovedLimit, only_steps_change


class Laboratory(models.Model):
    """Letterhead and settings of the site; there is one row."""

    name = models.CharField(max_length=150, default="HematoVision Laboratory")
    address = models.TextField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    director = models.CharField(max_length=150, blank=True)
    accreditation = models.CharField(max_length=100, blank=True)
    clia_number = models.CharField("CLIA number", max_length=20, blank=True)
    mrn_issuer = models.CharField("default MRN issuer", max_length=64, default="HVLAB")
    cell_target = models.PositiveSmallIntegerField(
        "leukocytes to count", default=100, help_text="100 or 200"
    )
    platelet_factor = models.DecimalField(
        "platelets: factor",
        max_digits=6,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text="Mean platelets a field times this is the estimate in 10⁹/L. It depends on the "
        "camera and the objective: find yours by comparing with the analyser.",
    )
    erythroblast_limit = models.PositiveSmallIntegerField(
        "nucleated red cells: correct the WBC count above",
        default=5,
        help_text="Nucleated red cells per 100 leukocytes above which the analyser's WBC count is "
        "corrected for them.",
    )
    adult_from_years = models.PositiveSmallIntegerField(
        "adults from age",
        default=16,
        help_text="Completed years. Younger patients are held only against reference intervals "
        "that a named person has approved.",
    )
    referral_days = models.PositiveSmallIntegerField(
        "referrals: days",
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="How long a consultant sees a case that is referred for an opinion.",
    )
    critical_due_minutes = models.PositiveSmallIntegerField(
        "critical results: told within",
        default=30,
        help_text="Minutes from the finding until somebody must have been told.",
    )
    critical_escalation_minutes = models.PositiveSmallIntegerField(
        "critical results: passed on after",
        default=60,
        help_text="Minutes until an untold critical result is passed on to the pathologists.",
    )
    escalation_email = models.EmailField(
        "escalation address",
        blank=True,
        help_text="Gets a message without patient data when a critical result is passed on.",
    )
    emergency_minutes = models.PositiveSmallIntegerField(
        "emergency access: minutes",
        default=60,
        validators=[MinValueValidator(5), MaxValueValidator(1440)],
        help_text="How long a restricted record stays open to who opened it in an emergency.",
    )
    emergency_judgement_days = models.PositiveSmallIntegerField(
        "emergency access: judged within",
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text="Days within which somebody else says whether an emergency access was justified.",
    )
    is_demo = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "laboratories"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="laboratory_is_one"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Laboratory":
        """Return the site's row, made with defaults when first asked for."""
        laboratory, _ = cls.objects.get_or_create(pk=1)
        return laboratory


class ReferenceInterval(ApprovedLimit, AgeBand):
    """A reference interval of a class or of a count; new versions are added, old ones kept.

    The white count and the platelets are judged in 10⁹/L alone.
    It holds for one band of ages: from `from_age` up to, not including, `to_age` (no upper end
    if empty), counted in completed years, or in days for the newborn.
    """

    ANALYTES = ANALYTES

    analyte = models.CharField(max_length=24, choices=ANALYTES)
    quantity = models.CharField(max_length=8, choices=Quantity.choices)
    low = models.DecimalField(max_digits=7, decimal_places=2)
    high = models.DecimalField(max_digits=7, decimal_places=2)
    from_age = models.PositiveSmallIntegerField(default=16)

    KEY = ("analyte", "quantity", "sex", "age_unit", "from_age")

    class Meta:
        ordering = ["analyte", "quantity", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["analyte", "quantity", "sex", "age_unit", "from_age", "version"],
                name="reference_interval_version_unique",
            ),
            models.CheckConstraint(
                condition=Q(low__lte=F("high")), name="reference_interval_ordered"
            ),
            models.CheckConstraint(
                condition=Q(to_age=None) | Q(to_age__gt=F("from_age")),
                name="reference_interval_ages_ordered",
            ),
            models.CheckConstraint(
                condition=Q(age_unit__in=AgeUnit.values),
                name="reference_interval_age_unit_known_value",
            ),
            models.CheckConstraint(
                condition=~Q(analyte__in=COUNTS) | Q(quantity=Quantity.ABSOLUTE),
                name="reference_interval_counts_are_absolute",
            ),
        ]
        triggers = only_steps_change(
            *("analyte", "quantity", "low", "high", "sex", "age_unit", "from_age", "to_age")
        )

    def __str__(self) -> str:
        return f"{self.analyte} {self.quantity} {self.low}-{self.high} v{self.version}"


class DeltaLimit(ApprovedLimit):
    """How far a result may lie from the patient's previous one; new versions are added.

    A change beyond `percent` of the previous value, within `window_hours` between the two
    collections, calls for a look. `analyte` is a class of leukocytes (its share of them) or
    "wbc" (the analyser's white count).
    """

    ANALYTES = [
        (WHITE_COUNT, "Leukocytes (WBC)"),
        *((name.value, name.label) for name in LEUKOCYTES),
    ]

    analyte = models.CharField(max_length=24, choices=ANALYTES)
    window_hours = models.PositiveSmallIntegerField(default=72)
    percent = models.DecimalField(max_digits=6, decimal_places=1)

    KEY = ("analyte",)

    class Meta:
        ordering = ["analyte", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["analyte", "version"], name="delta_limit_version_unique"
            ),
            models.CheckConstraint(
                condition=Q(percent__gt=0, window_hours__gt=0), name="delta_limit_is_positive"
            ),
        ]
        triggers = only_steps_change("analyte", "window_hours", "percent")

    def __str__(self) -> str:
        return f"{self.analyte} {self.percent} % in {self.window_hours} h v{self.version}"
