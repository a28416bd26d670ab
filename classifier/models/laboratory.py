"""The laboratory's own data: letterhead, targets and approved limits."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from classifier.enums import CellType, Quantity, Sex


class Laboratory(models.Model):
    """Letterhead and settings of the site; there is one row."""

    name = models.CharField(max_length=150, default="HematoVision Laboratory")
    address = models.TextField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    director = models.CharField(max_length=150, blank=True)
    accreditation = models.CharField(max_length=100, blank=True)
    mrn_issuer = models.CharField("default MRN issuer", max_length=64, default="HVLAB")
    cell_target = models.PositiveSmallIntegerField(
        "leukocytes to count", default=100, help_text="100 or 200"
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


class ReferenceInterval(models.Model):
    """A reference interval for a cell type; new versions are added, old ones kept."""

    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    quantity = models.CharField(max_length=8, choices=Quantity.choices)
    low = models.DecimalField(max_digits=7, decimal_places=2)
    high = models.DecimalField(max_digits=7, decimal_places=2)
    sex = models.CharField(max_length=8, choices=Sex.choices, blank=True)
    from_age_years = models.PositiveSmallIntegerField(default=16)
    source = models.CharField(max_length=250)
    version = models.PositiveSmallIntegerField(default=1)
    effective_from = models.DateField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["cell_type", "quantity", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["cell_type", "quantity", "sex", "from_age_years", "version"],
                name="reference_interval_version_unique",
            ),
            models.CheckConstraint(
                condition=Q(low__lte=F("high")), name="reference_interval_ordered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cell_type} {self.quantity} {self.low}-{self.high} v{self.version}"
