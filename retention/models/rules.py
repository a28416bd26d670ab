"""The laboratory's retention rules."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from classifier.models.limits import ApprovedLimit, only_steps_change
from retention.enums import CountsFrom, RecordType, TimeUnit
from retention.periods import Period

LONGEST = 200
"""Years: a longer period is a mistyped one."""


class RetentionRule(ApprovedLimit):
    """One version of how long one kind of records is kept, counted from one event.

    None comes with the product. ``minimum`` is what law or contract asks for at least, in the
    same unit, with where that stands. Where several rules hold for a record, the latest end counts.
    """

    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    counts_from = models.CharField(max_length=10, choices=CountsFrom.choices)
    keep_for = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=8, choices=TimeUnit.choices, default=TimeUnit.YEARS)
    minimum = models.PositiveSmallIntegerField(null=True)
    minimum_source = models.CharField(max_length=250, blank=True)

    KEY = ("record_type", "counts_from")

    class Meta:
        ordering = ["record_type", "counts_from", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["record_type", "counts_from", "version"],
                name="retention_rule_version_unique",
            ),
            models.CheckConstraint(
                condition=Q(record_type__in=RecordType.values)
                & Q(counts_from__in=CountsFrom.values)
                & Q(unit__in=TimeUnit.values),
                name="retention_rule_known_values",
            ),
            models.CheckConstraint(
                condition=Q(keep_for__gt=0)
                & (Q(minimum=None) | Q(keep_for__gte=F("minimum"), minimum__gt=0)),
                name="retention_rule_not_below_its_minimum",
            ),
            models.CheckConstraint(
                condition=Q(minimum=None, minimum_source="")
                | (Q(minimum__isnull=False) & ~Q(minimum_source="")),
                name="retention_rule_minimum_has_a_source",
            ),
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=False)
                & (Q(approved_by=None) | ~Q(approved_by=F("proposed_by"))),
                name="retention_rule_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="retention_rule_approved_when",
            ),
        ]
        triggers = only_steps_change(
            *("record_type", "counts_from", "keep_for", "unit", "minimum", "minimum_source")
        )

    def __str__(self) -> str:
        return f"{self.get_record_type_display()}, {self.period}, version {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("retention:rule", args=[self.pk])

    @property
    def period(self) -> Period:
        """How long the records are kept."""
        return Period(self.keep_for, TimeUnit(self.unit))

    @property
    def least(self) -> Period | None:
        """How long law or contract asks to keep them at least, if the laboratory says so."""
        return Period(self.minimum, TimeUnit(self.unit)) if self.minimum else None

    @property
    def says(self) -> str:
        """The rule in words."""
        return f"{self.period} from {self.get_counts_from_display()}"
