"""Reviews: open, name and accept cells, undo, redo, comment, give back. Signing is not here."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from api.enums import Scope
from api.problems import Problem, ProblemRaised
from api.shapes.cases import CaseShape, Nothing, Reason
from api.shapes.reviews import (
    CommentShape,
    Correction,
    Looks,
    NewComment,
    ReviewShape,
    Seen,
    StepShape,
)
from api.shapes.strict import Shape
from api.v1.base import ApiView, TokenRequest, entity_tag
from api.v1.cases import Step
from api.v1.describing import IF_MATCH, SENT, posts, problems, reads
from api.v1.once import action_id_of, once
from api.v1.reading import body
from classifier.exceptions import EditConflict
from classifier.models import Case
from classifier.selectors.cells import list_cells
from classifier.services import acceptance, corrections, reviews
from classifier.services.marking import Action

TAG = "Reviews"


class Review(ApiView):
    """Who has a case open."""

    scopes = {"GET": Scope.RESULTS_READ, "POST": Scope.REVIEWS_WRITE}

    @reads(ReviewShape, tag=TAG, summary="Read who reviews a case", operation_id="read_review")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return who has the case open, since when; 404 where nobody has."""
        review = reviews.find_open_review(find_case(request, pk))
        if review is None:
            raise NotFound("Nobody has this case open.")
        return Response(ReviewShape(review).data)

    @posts(Nothing, ReviewShape, tag=TAG, summary="Open a review", operation_id="open_review")
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Claim a classified case for the token's owner; who submitted it can't review it."""
        body(request, Nothing)
        case = find_case(request, pk)
        review = reviews.open_review(case_id=case.pk, actor=request.user)
        return Response(ReviewShape(review).data)


class ReviewStep(ApiView):
    """A step on the cells of a case that the token's owner has open."""

    scopes = {"POST": Scope.REVIEWS_WRITE}

    @staticmethod
    def answer(case: Case, action: Action, left_out: tuple[uuid.UUID, ...] = ()) -> Response:
        """Return the cells that a step touched or left out, as they now stand."""
        told = {
            "action_id": action.action_id,
            "cells": list_cells(case, action.cell_ids),
            "left_out": list_cells(case, left_out) if left_out else [],
        }
        return Response(StepShape(told).data)


class Correct(ReviewStep):
    """Naming cells."""

    @posts(Correction, StepShape, tag=TAG, summary="Name cells", operation_id="correct_cells")
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Give cells a class.

        Each cell comes with the `revision` that its author saw. If one has changed since,
        nothing is stored: 409 with those cells' ids in `cells`.
        """
        form = body(request, Correction)
        case = find_case(request, pk)
        action = corrections.correct_cells(
            case_id=case.pk,
            actor=request.user,
            cell_ids=list(form.seen()),
            cell_type=form.validated_data["cell_type"],
            reason=form.validated_data["reason"],
            action_id=action_id_of(request),
            seen=form.seen(),
        )
        return self.answer(case, action)


class Accept(ReviewStep):
    """Accepting the machine's reading."""

    @posts(Looks, StepShape, tag=TAG, summary="Accept readings", operation_id="accept_cells")
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Confirm the machine's likeliest class for cells that a person looked at.

        Cells that changed since are left out and told in `left_out`.
        """
        form = body(request, Looks)
        case = find_case(request, pk)
        accepted = acceptance.accept_seen(
            case_id=case.pk,
            actor=request.user,
            looks=form.seen(),
            action_id=action_id_of(request),
        )
        return self.answer(case, accepted.action, accepted.left_out)


def _turn(
    name: str, service: Callable[..., Action], *, summary: str
) -> Callable[..., HttpResponseBase]:
    """Return the view of a step back or forth, which says what its author knew of the cells."""

    @posts(Seen, StepShape, tag=TAG, summary=summary, operation_id=name)
    @once
    def post(self: ReviewStep, request: TokenRequest, pk: uuid.UUID) -> Response:
        seen = body(request, Seen).seen()
        case = find_case(request, pk)
        action = service(
            case_id=case.pk, actor=request.user, action_id=action_id_of(request), seen=seen
        )
        return self.answer(case, action)

    post.__doc__ = service.__doc__
    view: type[ReviewStep] = type(name, (ReviewStep,), {"post": post, "__doc__": service.__doc__})
    return view.as_view()


undo = _turn("undo_step", corrections.undo_last, summary="Undo the last step")
redo = _turn("redo_step", corrections.redo_last, summary="Redo what was undone last")


class Comment(ApiView):
    """The interpretation of an open review."""

    scopes = {"GET": Scope.RESULTS_READ, "PUT": Scope.REVIEWS_WRITE}

    @reads(CommentShape, tag=TAG, summary="Read the interpretation", operation_id="read_comment")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return the interpretation of the open review; empty where nobody has the case open."""
        return Response({"text": _comment_of(find_case(request, pk))})

    @extend_schema(
        tags=[TAG],
        summary="Write the interpretation",
        operation_id="write_comment",
        request=NewComment,
        parameters=[IF_MATCH],
        responses={
            200: CommentShape,
            **problems(404, *SENT, more={412: "Changed since.", 428: "If-Match is missing."}),
        },
    )
    def put(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Replace the interpretation. `If-Match` names the one that its author had read."""
        text = body(request, NewComment).validated_data["text"]
        listed = request.headers.get("If-Match")
        if listed is None:
            detail = "Read the interpretation and send its ETag as If-Match."
            raise ProblemRaised(Problem(428, "if-match-missing", detail))
        case = find_case(request, pk)
        stored = _comment_of(case)
        known = stored if listed.strip() == entity_tag({"text": stored}) else None
        try:
            review = reviews.set_comment(
                case_id=case.pk,
                actor=request.user,
                text=text,
                revision="" if known is None else reviews.revision_of(known),
            )
        except EditConflict as conflict:
            raise ProblemRaised(Problem(412, "stale", str(conflict))) from conflict
        data = {"text": review.comment}
        return Response(data, headers={"ETag": entity_tag(data)})


class _CaseStep(Step):
    """A step that ends a review."""

    scopes = {"POST": Scope.REVIEWS_WRITE}


def _ending(
    name: str, service: Callable[..., Any], *, summary: str, sent: type[Shape]
) -> Callable[..., HttpResponseBase]:
    @posts(sent, CaseShape, tag=TAG, summary=summary, parameters=[IF_MATCH], operation_id=name)
    @once
    def post(self: _CaseStep, request: TokenRequest, pk: uuid.UUID) -> Response:
        return self.take(request, pk, service, body(request, sent).validated_data)

    post.__doc__ = service.__doc__
    view: type[_CaseStep] = type(name, (_CaseStep,), {"post": post, "__doc__": service.__doc__})
    return view.as_view()


release = _ending(
    "release_review", reviews.release, summary="Give a case back unsigned", sent=Nothing
)
give_back = _ending(
    "return_case", reviews.return_to_technician, summary="Return a case for rework", sent=Reason
)


def find_case(request: TokenRequest, pk: uuid.UUID) -> Case:
    """Return a case that the token's owner may see, with its patient; else Http404."""
    cases = Case.objects.visible_to(request.user).select_related("patient")
    case: Case = get_object_or_404(cases, pk=pk)
    return case


def _comment_of(case: Case) -> str:
    review = reviews.find_open_review(case)
    return review.comment if review else ""
