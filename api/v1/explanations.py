"""Explanations of cells: ask, follow, stop, fetch the layers. They are no findings."""

import uuid

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.cases import Nothing
from api.shapes.explanations import ExplanationList, ExplanationShape, Question
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import posts, problems, reads
from api.v1.once import once
from api.v1.reading import body
from classifier.models import Case, Explanation
from classifier.selectors import why
from classifier.services import explanations

TAG = "Explanations"
LAYERS = ("heat", "against")


class CellExplanations(ApiView):
    """The explanations of a cell."""

    scopes = {"GET": Scope.RESULTS_READ, "POST": Scope.EXPLANATIONS_WRITE}

    @reads(ExplanationList, tag=TAG, summary="List a cell's explanations",
           operation_id="list_explanations")  # fmt: skip
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return everything that was asked of a cell, and how far each answer is."""
        cell = why.find_cell(request.user, pk)
        record_read(actor=request.user, patient=cell.image.case.patient)
        found = cell.explanations.select_related("model_version")
        return Response(ExplanationList({"results": found}).data)

    @posts(Question, ExplanationList, tag=TAG, summary="Ask why", status=202,
           operation_id="ask_why", example={"cell_type": "monocyte"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Ask a worker why the active classifier gives the cell the probability of a class.

        What was asked before isn't made again. Grad-CAM is there in a second, SHAP and LIME take
        their time.
        """
        asked = body(request, Question).validated_data
        found = explanations.request_explanations(
            cell_id=pk,
            actor=request.user,
            methods=list(dict.fromkeys(asked["methods"])),
            cell_type=asked["cell_type"],
        )
        return Response(ExplanationList({"results": found}).data, status=202)


class OneExplanation(ApiView):
    """An explanation."""

    scopes = {"GET": Scope.RESULTS_READ}

    @reads(ExplanationShape, tag=TAG, summary="Read an explanation",
           operation_id="read_explanation")  # fmt: skip
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return how far an explanation is, and what it says."""
        return Response(ExplanationShape(find_explanation(request, pk)).data)


class StopExplanation(ApiView):
    """Stopping explanations."""

    scopes = {"POST": Scope.EXPLANATIONS_WRITE}

    @posts(Nothing, ExplanationShape, tag=TAG, summary="Stop an explanation",
           operation_id="stop_explanation")  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Stop an explanation that waits or is being made; one that has ended stays."""
        body(request, Nothing)
        explanations.cancel_explanation(explanation_id=pk, actor=request.user)
        return Response(ExplanationShape(find_explanation(request, pk)).data)


class ExplanationLayer(ApiView):
    """The layers of a map."""

    scopes = {"GET": Scope.RESULTS_READ}

    @extend_schema(
        tags=[TAG],
        summary="Fetch a layer of a map",
        operation_id="fetch_explanation_layer",
        responses={(200, "image/webp"): OpenApiTypes.BINARY, **problems(404, 410)},
    )
    def get(self, request: TokenRequest, pk: uuid.UUID, form: str) -> HttpResponse | FileResponse:
        """Return the transparent layer `heat` (for the class) or `against`; 404 before it is made.

        It lies over `region` of the image.
        """
        explanation = find_explanation(request, pk)
        file = getattr(explanation, form) if form in LAYERS else None
        if not file:
            raise Http404
        return FileResponse(file.open("rb"), content_type="image/webp")


def find_explanation(request: TokenRequest, pk: uuid.UUID) -> Explanation:
    """Return an explanation of a cell that the token's owner may see; else Http404."""
    visible = Case.objects.visible_to(request.user)
    found = Explanation.objects.filter(cell__image__case__in=visible)
    explanation: Explanation = get_object_or_404(found.select_related("model_version"), pk=pk)
    return explanation
