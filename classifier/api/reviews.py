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
from classifier.exceptions import DomainError, EditConflict, GuardFailed, NotPermitted
from classifier.models import Case
from classifier.selectors import intake
from classifier.selectors.gallery import list_cells
from classifier.services import corrections, reviews

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


class AcceptSerializer(serializers.Serializer[dict[str, Any]]):
    """Cells of one step."""

    action_id = serializers.UUIDField()
    cell_ids = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_CELLS
    )


class CorrectSerializer(AcceptSerializer):
    """Cells of one step and the class they get."""

    cell_type = serializers.ChoiceField(choices=CellType.choices)
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=corrections.REASON_LIMIT
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
        service: Callable[..., corrections.Action],
        form: serializers.Serializer[dict[str, Any]],
    ) -> Response:
        """Call the service with what was sent; answer with the cells as they now stand."""
        form.is_valid(raise_exception=True)
        case = intake.get_case(request.user, pk)
        action = service(case_id=case.pk, actor=request.user, **form.validated_data)
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
        """Confirm the machine's likeliest class for the cells."""
        return self.take(request, pk, corrections.accept_cells, AcceptSerializer(data=request.data))


class UndoStep(ReviewStep):
    """Taking the last step back."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Undo the last step of the open review that still stands."""
        return self.take(request, pk, corrections.undo_last, UndoSerializer(data=request.data))


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


def describe(case: Case, action: corrections.Action) -> dict[str, Any]:
    """Return the cells that a step touched, as the page's script reads them."""
    cells = list_cells(case, action.cell_ids)
    return {"action_id": str(action.action_id), "cells": [cell.as_json() for cell in cells]}


def describe_comment(case: Case) -> dict[str, str]:
    """Return the stored comment and its revision."""
    review = reviews.find_open_review(case)
    comment = review.comment if review else ""
    return {"text": comment, "revision": reviews.revision_of(comment)}
