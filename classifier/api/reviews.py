"""Review endpoints: name cells, accept readings, undo, comment; the answer is what is stored."""

import uuid
from collections.abc import Callable
from typing import Any

from rest_framework import serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from classifier.enums import CellType
from classifier.exceptions import (
    DomainError,
    EditConflict,
    GuardFailed,
    NotPermitted,
    UnseenChange,
)
from classifier.models import Case
from classifier.selectors import intake
from classifier.selectors.cells import list_cells
from classifier.services import acceptance, corrections, marking, reviews
from classifier.services.marking import Action

MOST_CELLS = 5000
STATUS_OF: dict[type[Exception], int] = {
    NotPermitted: status.HTTP_403_FORBIDDEN,
    GuardFailed: status.HTTP_422_UNPROCESSABLE_ENTITY,
}


class MayReview(BasePermission):
    """Whoever holds the duty to review cases."""

    message = "Your role may not review cases."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.has_perm("accounts.review_case"))


class CellsSerializer(serializers.Serializer[dict[str, Any]]):
    """Cells of one step."""

    action_id = serializers.UUIDField()
    cell_ids = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_CELLS
    )


class LookSerializer(serializers.Serializer[dict[str, Any]]):
    """A cell that was on the screen, and its revision as it was shown."""

    cell = serializers.UUIDField()
    revision = serializers.IntegerField(min_value=0)


class AcceptSerializer(serializers.Serializer[dict[str, Any]]):
    """What was looked at and is accepted, as a selection of cells."""

    action_id = serializers.UUIDField()
    looks = serializers.ListField(child=LookSerializer(), min_length=1, max_length=MOST_CELLS)

    def validate_looks(self, value: list[dict[str, Any]]) -> dict[uuid.UUID, int]:
        """Hand the looks on the way the services take them."""
        return {look["cell"]: look["revision"] for look in value}


class AcceptClassSerializer(AcceptSerializer):
    """What was looked at and is accepted, of one class."""

    cell_type = serializers.ChoiceField(choices=CellType.choices)


class CorrectSerializer(CellsSerializer):
    """Cells of one step and the class they get."""

    cell_type = serializers.ChoiceField(choices=CellType.choices)
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=marking.REASON_LIMIT
    )


class UndoSerializer(serializers.Serializer[dict[str, Any]]):
    """The id of the step that takes the last one back."""

    action_id = serializers.UUIDField()


class CommentSerializer(serializers.Serializer[dict[str, Any]]):
    """The new comment and the revision that its writer had read."""

    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    revision = serializers.CharField(max_length=16)


class MemberRequest(Request):
    """A request by somebody who is signed in."""

    user: User


class ReviewStep(APIView):
    """One step on a case that the caller has open."""

    permission_classes = [MayReview]

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal with its sentence: 403, 409 if the record moved on, else 422."""
        if not isinstance(exc, DomainError):
            return super().handle_exception(exc)
        code = STATUS_OF.get(type(exc), status.HTTP_409_CONFLICT)
        return Response({"detail": str(exc)}, status=code)

    def take(
        self,
        request: MemberRequest,
        pk: uuid.UUID,
        service: Callable[..., Action],
        form: serializers.Serializer[dict[str, Any]],
    ) -> Response:
        """Call the service with what was sent; answer with the cells as they now stand."""
        form.is_valid(raise_exception=True)
        seen = read_seen(request.data)
        case = intake.get_case(request.user, pk)
        try:
            action = service(case_id=case.pk, actor=request.user, **form.validated_data, **seen)
        except UnseenChange as change:
            return describe_unseen(case, change)
        return Response(describe(case, action))


class CorrectCells(ReviewStep):
    """Naming cells."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Give the cells a class."""
        return self.take(
            request, pk, corrections.correct_cells, CorrectSerializer(data=request.data)
        )


class AcceptCells(ReviewStep):
    """Accepting the machine's reading."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Confirm the machine's likeliest class for the cells that were looked at."""
        return self.accept(request, pk, acceptance.accept_seen, AcceptSerializer(data=request.data))

    def accept(
        self,
        request: MemberRequest,
        pk: uuid.UUID,
        service: Callable[..., acceptance.Acceptance],
        form: serializers.Serializer[dict[str, Any]],
    ) -> Response:
        """Answer with the cells that were accepted and those left out, as they now stand."""
        form.is_valid(raise_exception=True)
        case = intake.get_case(request.user, pk)
        accepted = service(case_id=case.pk, actor=request.user, **form.validated_data)
        left_out = [cell.as_json() for cell in list_cells(case, accepted.left_out)]
        return Response(describe(case, accepted.action) | {"left_out": left_out})


class AcceptClass(AcceptCells):
    """Accepting the machine's reading class by class."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Confirm the cells of a class that were looked at."""
        form = AcceptClassSerializer(data=request.data)
        return self.accept(request, pk, acceptance.accept_class, form)


class UndoStep(ReviewStep):
    """Taking the last step back."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Undo the last step of the open review that still stands."""
        return self.take(request, pk, corrections.undo_last, UndoSerializer(data=request.data))


class RedoStep(ReviewStep):
    """Doing again what was undone last."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Redo the step of the open review that was undone last."""
        return self.take(request, pk, corrections.redo_last, UndoSerializer(data=request.data))


class Comment(ReviewStep):
    """The interpretation."""

    def put(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Save the comment; 409 with the stored one if it was changed elsewhere."""
        form = CommentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        case = intake.get_case(request.user, pk)
        try:
            review = reviews.set_comment(case_id=case.pk, actor=request.user, **form.validated_data)
        except EditConflict as conflict:
            stored = describe_comment(case)
            return Response({"detail": str(conflict), **stored}, status=status.HTTP_409_CONFLICT)
        return Response({"text": review.comment, "revision": reviews.revision_of(review.comment)})


def read_seen(data: Any) -> dict[str, dict[uuid.UUID, int]]:
    """Return what the page knew of its cells, for a service; nothing where it doesn't tell.

    `seen` maps a cell to the latest correction that was shown of it; a cell without is left out.
    """
    if not isinstance(data, dict) or "seen" not in data:
        return {}
    field = serializers.DictField(child=serializers.IntegerField(min_value=0))
    known = field.run_validation(data["seen"])
    as_id = serializers.UUIDField()
    return {"seen": {as_id.run_validation(key): last for key, last in known.items()}}


def describe_unseen(case: Case, change: UnseenChange) -> Response:
    """Answer 409 with the cells that a step would have overwritten, as they now stand."""
    cells = [cell.as_json() for cell in list_cells(case, change.cell_ids)]
    body = {"detail": str(change), "unseen": cells}
    return Response(body, status=status.HTTP_409_CONFLICT)


def describe(case: Case, action: Action) -> dict[str, Any]:
    """Return the cells that a step touched, as the page's script reads them."""
    cells = list_cells(case, action.cell_ids)
    return {"action_id": str(action.action_id), "cells": [cell.as_json() for cell in cells]}


def describe_comment(case: Case) -> dict[str, str]:
    """Return the stored comment and its revision."""
    review = reviews.find_open_review(case)
    comment = review.comment if review else ""
    return {"text": comment, "revision": reviews.revision_of(comment)}
