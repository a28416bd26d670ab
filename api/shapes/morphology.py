"""Graded morphology, in and out."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from rest_framework import serializers

from api.shapes.strict import Amount, Shape, Text, Whole
from classifier.enums import CellLine, MorphologyUnit
from classifier.services.morphology import COMMENT_LIMIT, Observation

CODE_LIMIT = 40


class FeatureStep(Shape):
    """A step on one feature, named by its lasting code."""

    feature = Text(max_length=CODE_LIMIT)


class Grade(FeatureStep):
    """A grade from 0 to 3, or the percentage from which it follows by the cut-offs in force."""

    grade = Whole(required=False, allow_null=True, default=None, min_value=0, max_value=3)
    count = Amount(
        required=False,
        allow_null=True,
        default=None,
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    comment = Text(required=False, default="", allow_blank=True, max_length=COMMENT_LIMIT)

    def observation(self) -> Observation:
        """What the service is to write down."""
        values = self.validated_data
        return Observation(values["grade"], values["count"], values["comment"])


class LineStep(Shape):
    """A step on one cell line."""

    line = serializers.ChoiceField(choices=CellLine.choices)


class GradedShape(serializers.Serializer[Any]):
    """What a reviewer said of a feature; `is_overruled` where the grade isn't what follows."""

    grade = serializers.IntegerField()
    count = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    is_overruled = serializers.BooleanField()
    comment = serializers.CharField(allow_blank=True)
    graded_by = serializers.CharField(source="created_by.full_name")
    graded_at = serializers.DateTimeField(source="created_at")


class FeatureShape(serializers.Serializer[Any]):
    """A feature by its version of the cut-offs; `finding` is null where nobody looked."""

    code = serializers.CharField()
    name = serializers.CharField(source="feature.name")
    unit = serializers.ChoiceField(
        choices=["", *MorphologyUnit.values], source="feature.unit", help_text="empty: by eye"
    )
    grades = serializers.ListField(child=serializers.IntegerField(), source="feature.grades")
    is_common = serializers.BooleanField(source="feature.is_common")
    version = serializers.IntegerField(source="feature.version")
    is_approved = serializers.BooleanField(source="feature.is_approved")
    finding = GradedShape(allow_null=True)
    previous_grade = serializers.IntegerField(source="previous.grade", default=None)


class LineShape(serializers.Serializer[Any]):
    """Red cells, white cells or platelets: in words, and feature by feature."""

    line = serializers.ChoiceField(choices=CellLine.choices)
    statement = serializers.CharField()
    is_normal = serializers.BooleanField()
    features = FeatureShape(many=True, source="rows")


class MorphologyShape(serializers.Serializer[Any]):
    """The three cell lines with the features that the laboratory looks for."""

    lines = LineShape(many=True)
