"""What analysers measured of a case's blood: every value ever sent, none changed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.enums import ANALYTE_UNITS, Analyte, ResultStatus
from classifier.models.case import Case
from classifier.models.protection import APPEND_ONLY
from classifier.models.review import Review


class AnalyserResult(models.Model):
    """One value of one analyte, in the unit of `ANALYTE_UNITS`, beside what was sent.

    `message_id` and `position` name the place in the message that brought it, so that a message
    that comes again adds nothing. What `came_late`, after signing, counts once it was taken.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="analyser_results")
    analyte = models.CharField(max_length=16, choices=Analyte.choices)
    value = models.DecimalField(max_digits=9, decimal_places=2)
    measured_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=ResultStatus.choices)
    source = models.CharField(max_length=150)
    flags = models.CharField(max_length=60, blank=True)
    leaves_out_erythroblasts = models.BooleanField(default=False)
    sent_code = models.CharField(max_length=60)
    sent_value = models.CharField(max_length=30)
    sent_unit = models.CharField(max_length=30, blank=True)
    message_id = models.UUIDField()
    position = models.PositiveIntegerField()
    came_late = models.BooleanField(default=False)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-measured_at", "-received_at", "analyte"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "message_id", "position"], name="analyser_result_added_once"
            ),
            models.CheckConstraint(
                condition=Q(analyte__in=Analyte.values), name="analyser_result_known_analyte"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ResultStatus.values), name="analyser_result_known_status"
            ),
            models.CheckConstraint(condition=Q(value__gte=0), name="analyser_result_not_negative"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.get_analyte_display()} {self.value}"

    @property
    def unit(self) -> str:
        """The UCUM unit of the value."""
        return ANALYTE_UNITS[Analyte(self.analyte)]

    @property
    def stands(self) -> bool:
        """True unless it came after signing and nobody has taken it into an amendment."""
        return not self.came_late or hasattr(self, "taking")


class TakenResult(models.Model):
    """That a reviewer took a value that came after signing into an amendment."""

    result = models.OneToOneField(AnalyserResult, on_delete=models.PROTECT, related_name="taking")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="taken_results")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    taken_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.result}, taken"
