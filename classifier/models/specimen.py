"""What was taken from the patient."""

import pghistory
from django.db import models
from django.db.models import F, Q

from classifier.enums import SpecimenCondition, SpecimenType, Stain
from classifier.models.case import Case
from classifier.models.protection import NEVER_DELETED


@pghistory.track()
class Specimen(models.Model):
    """The blood and the smear made of it: collected ≤ received ≤ now."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="specimen")
    specimen_type = models.CharField(
        max_length=20, choices=SpecimenType.choices, default=SpecimenType.EDTA_BLOOD
    )
    collected_at = models.DateTimeField()
    received_at = models.DateTimeField()
    stain = models.CharField(
        max_length=24, choices=Stain.choices, default=Stain.MAY_GRUNWALD_GIEMSA
    )
    condition = models.CharField(
        max_length=16, choices=SpecimenCondition.choices, default=SpecimenCondition.SATISFACTORY
    )
    condition_note = models.CharField(max_length=250, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(collected_at__lte=F("received_at")),
                name="specimen_collected_before_received",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.case} {self.get_specimen_type_display()}"
