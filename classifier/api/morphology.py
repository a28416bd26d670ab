"""Endpoints of graded morphology; the answer is what is stored of the features touched."""

import uuid
from collections.abc import Callable
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from classifier.api.reviews import MemberRequest, ReviewStep, UndoSerializer
from classifier.enums import CellLine
from classifier.selectors import intake
from classifier.selectors.morphology import describe_rows
from classifier.services import morphology


class FeatureSerializer(UndoSerializer):
    """A step on one feature."""

    code = serializers.SlugField(max_length=40)


class GradeSerializer(FeatureSerializer):
    """A grade, or the count from which it follows."""

    grade = serializers.IntegerField(min_value=0, max_value=3, allow_null=True)
    count = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, max_value=100, allow_null=True, default=None
    )
    comment = serializers.CharField(
        allow_blank=True, default="", max_length=morphology.COMMENT_LIMIT
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Hand on what was said the way the service takes it."""
        said = morphology.Observation(attrs.pop("grade"), attrs.pop("count"), attrs.pop("comment"))
        return attrs | {"observation": said}


class LineSerializer(UndoSerializer):
    """A step on a cell line."""

    line = serializers.ChoiceField(choices=CellLine.choices)


class MorphologyStep(ReviewStep):
    """One step on the morphology of a case that the caller has open."""

    service: Callable[..., Any]
    serializer: type[serializers.Serializer[dict[str, Any]]]

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Take the step; answer the features it touched and what their lines now say."""
        form = self.serializer(data=request.data)
        form.is_valid(raise_exception=True)
        case = intake.get_case(request.user, pk)
        written = type(self).service(case_id=case.pk, actor=request.user, **form.validated_data)
        touched = {row.feature.code for row in written} or {form.validated_data.get("code", "")}
        rows, lines = describe_rows(case, touched)
        return Response(
            {
                "features": [row.as_json() for row in rows],
                "lines": {
                    str(line.line): {"statement": line.statement, "rest": line.rest_label}
                    for line in lines
                },
            }
        )


class GradeFeature(MorphologyStep):
    """Grading a feature."""

    service = staticmethod(morphology.grade_feature)
    serializer = GradeSerializer


class WithdrawGrade(MorphologyStep):
    """Taking a grade back."""

    service = staticmethod(morphology.withdraw_grade)
    serializer = FeatureSerializer


class CallRestAbsent(MorphologyStep):
    """Calling absent what is left of a cell line."""

    service = staticmethod(morphology.call_rest_absent)
    serializer = LineSerializer
