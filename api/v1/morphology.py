"""Graded morphology: read, grade, take back, call the rest absent."""

import uuid
from collections.abc import Callable
from typing import Any

from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.morphology import FeatureStep, Grade, LineStep, MorphologyShape
from api.v1.base import ApiView, TokenRequest, require_match
from api.v1.describing import IF_MATCH, posts, reads
from api.v1.once import action_id_of, once
from api.v1.reading import body
from api.v1.reviews import TAG, find_case
from classifier.models import Case
from classifier.selectors import intake
from classifier.selectors.morphology import list_lines
from classifier.services import morphology
from classifier.services.transitions import lock_case


class Morphology(ApiView):
    """The morphology of a case."""

    scopes = {"GET": Scope.RESULTS_READ}

    @reads(MorphologyShape, tag="Results", summary="Read the morphology",
           operation_id="read_morphology")  # fmt: skip
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return the grades by cell line, what they rest on, and those of the last signed case."""
        case = intake.get_case(request.user, pk)
        record_read(actor=request.user, patient=case.patient)
        return Response(describe(case))


class MorphologyStep(ApiView):
    """A step on the morphology of a case that the token's owner has open."""

    scopes = {"POST": Scope.REVIEWS_WRITE}

    def take(
        self, request: TokenRequest, pk: uuid.UUID, service: Callable[..., Any], **details: Any
    ) -> Response:
        """Take the step, if the morphology still is as its author saw it; answer how it stands."""
        case = find_case(request, pk)
        lock_case(case.pk)
        require_match(request, lambda: describe(case))
        service(case_id=case.pk, actor=request.user, action_id=action_id_of(request), **details)
        return Response(describe(case))


class GradeFeature(MorphologyStep):
    """Grading."""

    @posts(Grade, MorphologyShape, tag=TAG, summary="Grade a feature", parameters=[IF_MATCH],
           operation_id="grade_feature",
           example={"feature": "target_cells", "count": "7.5"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Grade a feature, or give the percentage from which the grade follows.

        With both, a grade that differs from what follows overrules it and is marked so.
        """
        form = body(request, Grade)
        code = form.validated_data["feature"]
        return self.take(
            request, pk, morphology.grade_feature, code=code, observation=form.observation()
        )


class WithdrawGrade(MorphologyStep):
    """Taking grades back."""

    @posts(FeatureStep, MorphologyShape, tag=TAG, summary="Take a grade back",
           parameters=[IF_MATCH], operation_id="withdraw_grade",
           example={"feature": "target_cells"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Take back what was said of a feature: it counts as not looked at."""
        code = body(request, FeatureStep).validated_data["feature"]
        return self.take(request, pk, morphology.withdraw_grade, code=code)


class CallRestAbsent(MorphologyStep):
    """Normal cell lines."""

    @posts(LineStep, MorphologyShape, tag=TAG, summary="Call the rest of a line absent",
           parameters=[IF_MATCH], operation_id="call_rest_absent",
           example={"line": "red"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Grade 0 the usual features of a cell line that nobody has graded; the others stand."""
        line = body(request, LineStep).validated_data["line"]
        return self.take(request, pk, morphology.call_rest_absent, line=line)


def describe(case: Case) -> Any:
    """Return the morphology of a case in its shape."""
    return MorphologyShape({"lines": list_lines(case)}).data
