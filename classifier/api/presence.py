"""The endpoint that a review page asks while it is looked at: who else is here, what changed."""

import hashlib
import json
import uuid

from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.api.boxes import MayRead
from classifier.api.reviews import MemberRequest
from classifier.selectors import intake
from classifier.selectors.cells import list_cells
from classifier.selectors.presence import list_changes, list_people, stage_of
from classifier.services.presence import note_presence
from classifier.services.reviews import find_open_review


class CasePresence(APIView):
    """Being at a case; it is no reading of the record, which the page itself was."""

    permission_classes = [MayRead]

    def get(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Tell who else is at the case and which cells changed after `known`; 304 if nothing did.

        `known` is the latest correction that the page shows.
        """
        known = serializers.IntegerField(min_value=0).run_validation(request.GET.get("known", "0"))
        case = intake.get_case(request.user, pk)
        note_presence(case=case, actor=request.user)
        review = find_open_review(case)
        people = list_people(case, besides=request.user, review=review)
        last, changes = list_changes(case, known=known, reader=request.user)
        cell_ids = {cell_id for change in changes for cell_id in change.cell_ids}
        body = {
            "stage": stage_of(case, review),
            "people": [person.as_json() for person in people],
            "last": last,
            "changes": [change.as_json() for change in changes],
            "cells": [cell.as_json() for cell in list_cells(case, cell_ids)] if cell_ids else [],
        }
        return _unless_known(request, body)


def _unless_known(request: MemberRequest, body: dict[str, object]) -> Response:
    """Answer 304 where the body is the one that the page got last."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]
    etag = f'"{digest}"'
    headers = {"ETag": etag, "Cache-Control": "no-store"}
    if request.headers.get("If-None-Match") == etag:
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers)
