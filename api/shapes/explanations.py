"""Why a classifier gives a cell a class: asked for, and answered by a worker."""

from typing import Any

from rest_framework import serializers

from api.shapes.strict import Id, Shape
from classifier.enums import QUICK_METHODS, CellType, ExplanationMethod, ExplanationStatus


class Question(Shape):
    """The class to explain, and by which methods; the quick ones if nothing is said."""

    cell_type = serializers.ChoiceField(choices=CellType.choices)
    methods = serializers.ListField(
        child=serializers.ChoiceField(choices=ExplanationMethod.choices),
        required=False,
        default=[*QUICK_METHODS],
        min_length=1,
        max_length=len(ExplanationMethod),
    )


class ExplanationShape(serializers.Serializer[Any]):
    """One method's answer; the layers `heat` and `against` lie over `region` of the image.

    `region` is left, top, width and height in pixels. `scores` are deletion and insertion, empty
    until they are measured; `caption` says what the map means and what it doesn't.
    """

    id = Id()
    cell = Id(source="cell_id")
    method = serializers.ChoiceField(choices=ExplanationMethod.choices)
    cell_type = serializers.ChoiceField(choices=CellType.choices)
    model = serializers.CharField(source="model_version.__str__")
    status = serializers.ChoiceField(choices=ExplanationStatus.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    error = serializers.CharField(source="error_message", allow_blank=True)
    probability = serializers.FloatField(allow_null=True)
    box = serializers.ListField(child=serializers.IntegerField(), min_length=4, max_length=4)
    region = serializers.ListField(child=serializers.FloatField())
    scores = serializers.DictField()
    caption = serializers.DictField()
    has_heat = serializers.SerializerMethodField()
    has_against = serializers.SerializerMethodField()
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_has_heat(self, explanation: Any) -> bool:
        """True once the layer of what speaks for the class can be fetched."""
        return bool(explanation.heat)

    def get_has_against(self, explanation: Any) -> bool:
        """True once the layer of what speaks against it can be fetched."""
        return bool(explanation.against)


class ExplanationList(serializers.Serializer[Any]):
    """Explanations of one cell, in the order in which they were asked for."""

    results = ExplanationShape(many=True)
