"""Results of a case, its cells, and the models in use."""

import uuid

from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.results import CellList, ModelList, ResultsShape
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import reads
from classifier.enums import REVIEWABLE
from classifier.models import ModelVersion
from classifier.selectors import intake
from classifier.selectors.analyser import list_results
from classifier.selectors.cells import list_cells
from classifier.selectors.differential import get_differential
from classifier.selectors.fields import summarise_fields

TAG = "Results"


class Results(ApiView):
    """The results of a case."""

    scopes = {"GET": Scope.RESULTS_READ}

    @reads(ResultsShape, tag=TAG, summary="Read the results", operation_id="read_results")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return how far the reading is, the differential, and what the fields hold.

        Before `differential.is_confirmed` it is a proposal of the machine's, as far as nobody
        has named its cells. It is null until the case can be reviewed.
        """
        case = intake.get_case(request.user, pk)
        record_read(actor=request.user, patient=case.patient)
        is_read = case.status in REVIEWABLE
        answer = {
            "case": case.pk,
            "status": case.status,
            "runs": intake.case_images(case),
            "differential": get_differential(case) if is_read else None,
            "analyser_results": list_results(case),
            "fields_summary": summarise_fields(case, list_cells(case)) if is_read else None,
        }
        return Response(ResultsShape(answer).data)


class Cells(ApiView):
    """The cells of a case."""

    scopes = {"GET": Scope.RESULTS_READ}

    @reads(CellList, tag=TAG, summary="Read the cells", operation_id="read_cells")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return the cells to review: the machine's word, the human's, and which counts.

        Red cells and platelets that nobody remarked on are only counted, in the results.
        """
        case = intake.get_case(request.user, pk)
        record_read(actor=request.user, patient=case.patient)
        cells = list_cells(case) if case.status in REVIEWABLE else []
        return Response(CellList({"results": cells}).data)


class Models(ApiView):
    """The laboratory's classifiers."""

    scopes = {"GET": Scope.MODELS_READ}

    @reads(ModelList, tag=TAG, summary="List model versions", found=False,
           operation_id="list_models")  # fmt: skip
    def get(self, request: TokenRequest) -> Response:
        """Return the classifiers that are or were in use; `is_active` reads new images."""
        return Response(ModelList({"results": ModelVersion.objects.all()}).data)
