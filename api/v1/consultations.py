"""Telemedicine: what is referred to the token's owner, its pictures, and the opinion on it."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from api.enums import Scope
from api.problems import Problem, ProblemRaised
from api.shapes.consultations import (
    ConsultationList,
    ConsultationShape,
    NewWords,
    OpinionShape,
    WordsShape,
)
from api.v1.base import ApiView, TokenRequest, entity_tag
from api.v1.describing import IF_MATCH, SENT, examples_of, posts, problems, reads
from api.v1.once import action_id_of, once
from api.v1.reading import body
from classifier.exceptions import EditConflict
from classifier.models import Cell, SmearImage
from consultation import pictures, policies
from consultation.models import OpinionDraft, Referral
from consultation.selectors.consultations import (
    describe_case,
    get_cell,
    get_consultation,
    get_field,
    list_consultations,
)
from consultation.services.opinions import give_opinion, revision_of, save_draft, words_of
from consultation.services.reading import open_referral, record_view
from ml.errors import ImageRejected

TAG = "Consultations"
WORDS = {
    "text": "The large cells are reactive lymphocytes, not blasts.",
    "diagnosis": "Consistent with a viral infection.",
    "impressions": {"blast": "Reactive; see the condensed chromatin."},
}
Subject = TypeVar("Subject", Cell, SmearImage)


class Consultations(ApiView):
    """What was referred to the token's owner."""

    scopes = {"GET": Scope.CONSULTATIONS_READ}

    @reads(ConsultationList, tag=TAG, summary="List what is referred to you", found=False,
           operation_id="list_consultations")  # fmt: skip
    def get(self, request: TokenRequest) -> Response:
        """Return what waits for an opinion, what is answered, and what has ended."""
        shelf = list_consultations(request.user)
        rows = [*shelf.waiting, *shelf.answered, *shelf.ended]
        return Response(ConsultationList({"results": rows}).data)


class OneConsultation(ApiView):
    """A referred case."""

    scopes = {"GET": Scope.CONSULTATIONS_READ}

    @reads(ConsultationShape, tag=TAG, summary="Read a referred case",
           operation_id="read_consultation")  # fmt: skip
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return exactly the referred case, without identity unless the referrer meant to show it.

        404 once the referral has ended or was withdrawn. Reading counts as having received it.
        """
        referral = get_consultation(request.user, pk)
        open_referral(referral=referral, actor=request.user)
        return Response(ConsultationShape(describe_case(referral, request.user)).data)


class CellPicture(ApiView):
    """Pictures of cells."""

    scopes = {"GET": Scope.CONSULTATIONS_READ}

    @extend_schema(
        tags=[TAG],
        summary="Fetch the picture of a referred cell",
        operation_id="fetch_referred_cell",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **problems(404, 410)},
    )
    def get(self, request: TokenRequest, pk: uuid.UUID, cell: uuid.UUID) -> HttpResponse:
        """Return a cell with what lies round it, marked with its reader's name."""
        referral = get_consultation(request.user, pk)
        return _picture(request, referral, pictures.large_cell, get_cell(referral, cell))


class FieldPicture(ApiView):
    """Pictures of fields."""

    scopes = {"GET": Scope.CONSULTATIONS_READ}

    @extend_schema(
        tags=[TAG],
        summary="Fetch a referred field",
        operation_id="fetch_referred_field",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **problems(404, 410)},
    )
    def get(self, request: TokenRequest, pk: uuid.UUID, image: uuid.UUID) -> HttpResponse:
        """Return a whole field, marked with its reader's name."""
        referral = get_consultation(request.user, pk)
        return _picture(request, referral, pictures.field, get_field(referral, image))


class Draft(ApiView):
    """What is being written."""

    scopes = {"GET": Scope.CONSULTATIONS_READ, "PUT": Scope.CONSULTATIONS_WRITE}

    @reads(WordsShape, tag=TAG, summary="Read the draft", operation_id="read_draft")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return the draft of the opinion, which nobody else sees."""
        return Response(_draft_of(get_consultation(request.user, pk)))

    @extend_schema(
        tags=[TAG],
        summary="Write the draft",
        operation_id="write_draft",
        request=NewWords,
        parameters=[IF_MATCH],
        examples=examples_of(WORDS),
        responses={
            200: WordsShape,
            **problems(404, *SENT, more={412: "Changed since.", 428: "If-Match is missing."}),
        },
    )
    def put(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Replace the draft. `If-Match` names the one that its author had read."""
        words = body(request, NewWords).words()
        listed = request.headers.get("If-Match")
        if listed is None:
            detail = "Read the draft and send its ETag as If-Match."
            raise ProblemRaised(Problem(428, "if-match-missing", detail))
        referral = get_consultation(request.user, pk)
        is_known = listed.strip() == entity_tag(_draft_of(referral))
        stored = words_of(OpinionDraft.objects.filter(referral=referral).first())
        revision = revision_of(stored) if is_known else ""
        try:
            save_draft(referral=referral, actor=request.user, words=words, revision=revision)
        except EditConflict as conflict:
            raise ProblemRaised(Problem(412, "stale", str(conflict))) from conflict
        data = _draft_of(referral)
        return Response(data, headers={"ETag": entity_tag(data)})


class Opinions(ApiView):
    """Opinions."""

    scopes = {"POST": Scope.CONSULTATIONS_WRITE}

    @posts(NewWords, OpinionShape, tag=TAG, summary="Give an opinion", status=201,
           operation_id="give_opinion", example=WORDS)  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Give an opinion for good, under the owner's name; a further one is an addendum.

        `statement` of the consultation says what that means. The draft is emptied.
        """
        words = body(request, NewWords).words()
        referral = get_consultation(request.user, pk)
        opinion = give_opinion(
            referral=referral,
            actor=request.user,
            opinion_id=action_id_of(request),
            words=words,
        )
        return Response(OpinionShape(opinion).data, status=201)


def _draft_of(referral: Referral) -> Any:
    return WordsShape(words_of(OpinionDraft.objects.filter(referral=referral).first())).data


def _picture(
    request: TokenRequest,
    referral: Referral,
    make: Callable[[Subject, pictures.Mark | None], bytes],
    subject: Subject,
) -> HttpResponse:
    """Return a picture as its reader gets it; the audit trail keeps that it was looked at."""
    record_view(referral=referral, actor=request.user, picture=subject)
    is_outside = not policies.sees_case_itself(request.user, referral.case)
    mark = pictures.mark_for(referral, request.user) if is_outside else None
    try:
        data = make(subject, mark)
    except (OSError, ImageRejected) as error:
        raise Http404 from error
    headers = {"Cache-Control": "private, no-store"}
    return HttpResponse(data, content_type=pictures.CONTENT_TYPE, headers=headers)
