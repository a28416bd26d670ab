"""The discussion of a case: people, comments."""

import uuid

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.discussion import NewRemark, PersonList, RemarkList, RemarkShape
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import posts, problems, reads
from api.v1.once import action_id_of, once
from api.v1.reading import body
from classifier.models import Case
from classifier.selectors import intake
from consultation.selectors.discussion import CommentView, get_comment, list_threads
from consultation.selectors.people import list_consultants, list_members
from consultation.services.discussion import Remark, comment, retract

TAG = "Discussion"


class Members(ApiView):
    """Who can be mentioned."""

    scopes = {"GET": Scope.DISCUSSION_READ}

    @reads(PersonList, tag=TAG, summary="List who can be mentioned", found=False,
           operation_id="list_members")  # fmt: skip
    def get(self, request: TokenRequest) -> Response:
        """Return the members of the laboratory who may see its cases, without the owner."""
        return Response(PersonList({"results": list_members(request.user)}).data)


class Consultants(ApiView):
    """Who can be asked for an opinion."""

    scopes = {"GET": Scope.DISCUSSION_READ}

    @reads(PersonList, tag=TAG, summary="List who gives opinions", found=False,
           operation_id="list_consultants")  # fmt: skip
    def get(self, request: TokenRequest) -> Response:
        """Return pathologists and outside consultants, those too who haven't joined yet."""
        return Response(PersonList({"results": list_consultants(request.user)}).data)


class Comments(ApiView):
    """The comments on a case."""

    scopes = {"GET": Scope.DISCUSSION_READ, "POST": Scope.DISCUSSION_WRITE}

    @reads(RemarkList, tag=TAG, summary="Read the comments", operation_id="list_comments")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return what members said of the case, its fields and its cells, the oldest first."""
        case = intake.get_case(request.user, pk)
        record_read(actor=request.user, patient=case.patient)
        return Response(RemarkList({"results": _comments(case, request)}).data)

    @posts(NewRemark, RemarkShape, tag=TAG, summary="Comment on a case", status=201,
           operation_id="add_comment", example={"text": "Please look again."})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Say something of the case, or of one of its cells or fields, for all or for somebody.

        Outside consultants never see it.
        """
        sent = body(request, NewRemark).validated_data
        case = intake.get_case(request.user, pk)
        remark = Remark(sent["text"], sent["cell"], sent["image"], sent["mentions"])
        written = comment(
            case=case, actor=request.user, comment_id=action_id_of(request), remark=remark
        )
        (shown,) = [view for view in _comments(case, request) if view.comment.pk == written.pk]
        return Response(RemarkShape(shown).data, status=201)


class OneComment(ApiView):
    """A comment."""

    scopes = {"DELETE": Scope.DISCUSSION_WRITE}

    @extend_schema(
        tags=[TAG],
        summary="Take a comment back",
        operation_id="retract_comment",
        responses={204: OpenApiResponse(description="Its words are gone."), **problems(404)},
    )
    def delete(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Take one's own comment back: its words vanish, that it stood there stays."""
        retract(comment=get_comment(request.user, pk), actor=request.user)
        return Response(status=204)


def _comments(case: Case, request: TokenRequest) -> list[CommentView]:
    found = [view for thread in list_threads(case, request.user) for view in thread.comments]
    return sorted(found, key=lambda view: (view.comment.created_at, view.comment.pk))
