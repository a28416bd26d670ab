"""What was ordered, changed afterwards: members that are left out stay as they are."""

from dataclasses import asdict, fields
from typing import Any

from rest_framework import serializers

from api.shapes.strict import Moment, Shape, Text
from classifier.enums import Priority, SpecimenCondition, SpecimenType, Stain
from classifier.models import Case
from classifier.services.cases import SpecimenDetails


class SpecimenChange(Shape):
    """What is otherwise about the specimen: collected ≤ received ≤ now."""

    collected_at = Moment(required=False)
    received_at = Moment(required=False)
    specimen_type = serializers.ChoiceField(choices=SpecimenType.choices, required=False)
    stain = serializers.ChoiceField(choices=Stain.choices, required=False)
    condition = serializers.ChoiceField(choices=SpecimenCondition.choices, required=False)
    condition_note = Text(required=False, allow_blank=True, max_length=250)


class OrderChange(Shape):
    """What is otherwise about the order."""

    priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    ordering_clinician = Text(required=False, allow_blank=True, max_length=150)
    clinical_details = Text(required=False, allow_blank=True, max_length=10_000)
    specimen = SpecimenChange(required=False)

    def details(self, case: Case) -> dict[str, Any]:
        """The whole order as the service takes it: what was sent, and of the rest what stands."""
        changed = dict(self.validated_data)
        stands = SpecimenDetails(
            **{field.name: getattr(case.specimen, field.name) for field in fields(SpecimenDetails)}
        )
        specimen = SpecimenDetails(**(asdict(stands) | changed.pop("specimen", {})))
        names = ("priority", "ordering_clinician", "clinical_details")
        order = {name: getattr(case, name) for name in names} | changed
        return order | {"specimen": specimen}
