"""What the tables of approved limits share, and the limits beyond which a result is critical."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from classifier.enums import (
    LEUKOCYTES,
    WHITE_COUNT,
    AgeUnit,
    CellType,
    CriticalRule,
    Quantity,
    Sex,
)
from classifier.querysets import LimitQuerySet

ANALYTES = [
    (WHITE_COUNT, "Leukocytes (WBC)"),
    (CellType.PLATELET.value, "Platelets (estimate)"),
    *((name.value, name.label) for name in LEUKOCYTES),
]
"""What intervals and critical limits judge: two counts, and the classes of leukocytes."""

COUNTS = (WHITE_COUNT, CellType.PLATELET.value)
"""Counts of their own, in 10⁹/L alone; the others are shares of the leukocytes as well."""

PROVENANCE = ("source", "version", "effective_from", "proposed_by", "proposed_at")


def only_steps_change(*columns: str) -> list[pgtrigger.Trigger]:
    """Return the database rules of a table of limits: what a version says never changes.

    ``columns`` are those that say it, beside `PROVENANCE`; approval and retirement are written
    later.
    """
    return [
        pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        pgtrigger.Protect(
            name="never_edited",
            operation=pgtrigger.Update,
            condition=pgtrigger.AnyChange(*columns, *PROVENANCE),
        ),
    ]


class ApprovedLimit(models.Model):
    """One version of a limit: proposed by one person, approved by another, retired in the end.

    What the laboratory came with has no proposer; it judges until somebody approves a version or
    retires it, and says that it is not approved. A proposal judges nothing before it is approved.
    """

    source = models.CharField(max_length=250)
    version = models.PositiveSmallIntegerField(default=1)
    effective_from = models.DateField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    proposed_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    retired_at = models.DateTimeField(null=True)
    retired_on = models.DateField(null=True, help_text="the first day on which it judges no more")
    retired_because = models.CharField(max_length=250, blank=True)

    objects = LimitQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_approved(self) -> bool:
        """True once a named person has approved this version."""
        return self.approved_by_id is not None

    @property
    def is_proposal(self) -> bool:
        """True while a proposed version waits for approval."""
        return self.proposed_by_id is not None and not self.is_approved and not self.retired_on


class AgeBand(models.Model):
    """For whom a limit holds: from `from_age` up to, not including, `to_age`, and of which sex.

    Ages are completed years, or days for the newborn; without `to_age` there is no upper end.
    """

    sex = models.CharField(max_length=8, choices=Sex.choices, blank=True)
    age_unit = models.CharField(max_length=8, choices=AgeUnit.choices, default=AgeUnit.YEARS)
    from_age = models.PositiveSmallIntegerField(default=0)
    to_age = models.PositiveSmallIntegerField("below age", null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def ages(self) -> str:
        """The band in words."""
        unit = AgeUnit(self.age_unit).label
        if self.to_age is None:
            return f"from {self.from_age} {unit}"
        return f"{self.from_age} to under {self.to_age} {unit}"


class CriticalLimit(ApprovedLimit, AgeBand):
    """When a result is critical: below `low`, above `high`, or any cell of a class seen.

    Held against absolute counts first, against percentages where there is no white count. For a
    rule that any cell is critical, `known_days` says for how long an earlier final report with
    such cells makes them known, which needs no new call.
    """

    ANALYTES = ANALYTES

    analyte = models.CharField(max_length=24, choices=ANALYTES)
    rule = models.CharField(
        max_length=8, choices=CriticalRule.choices, default=CriticalRule.OUTSIDE
    )
    quantity = models.CharField(max_length=8, choices=Quantity.choices, blank=True)
    low = models.DecimalField("critical below", max_digits=7, decimal_places=2, null=True)
    high = models.DecimalField("critical above", max_digits=7, decimal_places=2, null=True)
    known_days = models.PositiveSmallIntegerField("known for days", null=True)

    KEY = ("analyte", "rule", "quantity", "sex", "age_unit", "from_age")

    class Meta:
        ordering = ["analyte", "quantity", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["analyte", "rule", "quantity", "sex", "age_unit", "from_age", "version"],
                name="critical_limit_version_unique",
            ),
            models.CheckConstraint(
                condition=Q(rule=CriticalRule.SEEN, quantity="", low=None, high=None)
                | Q(rule=CriticalRule.OUTSIDE, quantity__in=Quantity.values, known_days=None)
                & (Q(low__isnull=False) | Q(high__isnull=False)),
                name="critical_limit_says_when",
            ),
            models.CheckConstraint(
                condition=Q(low=None) | Q(high=None) | Q(low__lt=F("high")),
                name="critical_limit_ordered",
            ),
            models.CheckConstraint(
                condition=Q(to_age=None) | Q(to_age__gt=F("from_age")),
                name="critical_limit_ages_ordered",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="critical_limit_approved_by_somebody",
            ),
        ]
        triggers = only_steps_change(
            *("analyte", "rule", "quantity", "low", "high", "known_days", "sex"),
            *("age_unit", "from_age", "to_age"),
        )

    def __str__(self) -> str:
        return f"critical {self.get_analyte_display()} v{self.version}"
