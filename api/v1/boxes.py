"""Boxes on fields: the cells of a field, and a reviewer's word on what the detector found."""

import uuid

from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.boxes import ClassLooks, Clumps, MissedCell, Outline, Repeats
from api.shapes.results import CellList
from api.shapes.reviews import Looks, ReviewShape, StepShape
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import posts, reads
from api.v1.once import action_id_of, once
from api.v1.reading import body
from api.v1.reviews import TAG, ReviewStep, find_case
from classifier.enums import REVIEWABLE
from classifier.selectors import intake
from classifier.selectors.cells import list_field_cells
from classifier.services import acceptance, boxes, reviews

CELL = "7d0a2b52-5d3c-4f7e-9a38-6f0f6c1f2c11"
SEEN = {"cells": [{"cell": CELL, "revision": 0}]}
BOX = [412, 230, 498, 321]


class FieldCells(ApiView):
    """The cells of one field."""

    scopes = {"GET": Scope.RESULTS_READ}

    @reads(CellList, tag="Results", summary="Read a field's cells", operation_id="read_field_cells")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return every cell of a field with its box, red cells and platelets included."""
        image = intake.get_image(request.user, pk)
        record_read(actor=request.user, patient=image.case.patient)
        is_read = image.case.status in REVIEWABLE
        return Response(CellList({"results": list_field_cells(image) if is_read else []}).data)


class AddCell(ReviewStep):
    """Cells that the detector missed."""

    @posts(MissedCell, StepShape, tag=TAG, summary="Add a missed cell", operation_id="add_cell",
           example={"image": CELL, "box": BOX, "cell_type": "blast"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Add a cell to a field of a case that the token's owner has open, under its name."""
        sent = body(request, MissedCell).validated_data
        case = find_case(request, pk)
        action = boxes.add_cell(
            case_id=case.pk,
            actor=request.user,
            image_id=sent["image"],
            box=sent["box"],
            cell_type=sent["cell_type"],
            action_id=action_id_of(request),
        )
        return self.answer(case, action)


class ReshapeCell(ReviewStep):
    """Outlines."""

    @posts(Outline, StepShape, tag=TAG, summary="Draw a box anew", operation_id="reshape_cell",
           example={"cell": CELL, "revision": 0, "box": BOX})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Give a field's cell another box; the first one stays on record.

        409 if the cell changed since `revision`.
        """
        sent = body(request, Outline).validated_data
        case = find_case(request, pk)
        action = boxes.reshape_cell(
            case_id=case.pk,
            actor=request.user,
            cell_id=sent["cell"],
            box=sent["box"],
            action_id=action_id_of(request),
            seen={sent["cell"]: sent["revision"]},
        )
        return self.answer(case, action)


class RemoveCells(ReviewStep):
    """Boxes without a cell."""

    @posts(Looks, StepShape, tag=TAG, summary="Remove boxes", operation_id="remove_cells",
           example=SEEN)  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Say that there is no cell in these boxes; they stay on record and count nowhere."""
        seen = body(request, Looks).seen()
        case = find_case(request, pk)
        action = boxes.remove_cells(
            case_id=case.pk,
            actor=request.user,
            cell_ids=list(seen),
            action_id=action_id_of(request),
            seen=seen,
        )
        return self.answer(case, action)


class MarkRepeats(ReviewStep):
    """Cells that several fields show."""

    @posts(Repeats, StepShape, tag=TAG, summary="Mark repeats", operation_id="mark_repeats",
           example={**SEEN, "repeat": "repeat"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Say that cells were seen in another field already, or that they are cells of their own.

        `pair` of a cell names what other fields show of it.
        """
        form = body(request, Repeats)
        case = find_case(request, pk)
        action = boxes.mark_repeats(
            case_id=case.pk,
            actor=request.user,
            cell_ids=list(form.seen()),
            repeat=form.validated_data["repeat"],
            action_id=action_id_of(request),
            seen=form.seen(),
        )
        return self.answer(case, action)


class AcceptClass(ReviewStep):
    """Accepting the machine's reading class by class."""

    @posts(ClassLooks, StepShape, tag=TAG, summary="Accept a class", operation_id="accept_class",
           example={**SEEN, "cell_type": "neutrophil"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Confirm the machine's cells of one class that a person looked at.

        Cells that changed since are left out; those that the machine is not sure of are decided
        one by one.
        """
        form = body(request, ClassLooks)
        case = find_case(request, pk)
        accepted = acceptance.accept_class(
            case_id=case.pk,
            actor=request.user,
            cell_type=form.validated_data["cell_type"],
            looks=form.seen(),
            action_id=action_id_of(request),
        )
        return self.answer(case, accepted.action, accepted.left_out)


class PlateletClumps(ApiView):
    """Platelets in clumps."""

    scopes = {"POST": Scope.REVIEWS_WRITE}

    @posts(Clumps, ReviewShape, tag=TAG, summary="Say whether platelets clump",
           operation_id="set_platelet_clumps", example={"has_clumps": True})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Say whether platelets lie in clumps, in which case they can't be estimated."""
        said = body(request, Clumps).validated_data
        case = find_case(request, pk)
        review = reviews.set_platelet_clumps(case_id=case.pk, actor=request.user, **said)
        return Response(ReviewShape(review).data)
