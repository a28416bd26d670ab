"""Cases: open, list, read, and move along."""

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.pagination import newest_first
from api.selectors.cases import list_cases, steps_of
from api.shapes.cases import CaseFilter, CasePage, CaseShape, NewCase, Nothing, Reason
from api.shapes.strict import Shape
from api.v1.base import ApiView, TokenRequest, require_match
from api.v1.describing import IF_MATCH, posts, reads
from api.v1.once import once
from api.v1.reading import body, query
from classifier.models import Case, Patient
from classifier.selectors import intake
from classifier.services import cases as services
from classifier.services import reviews
from classifier.services.transitions import lock_case, transition

if TYPE_CHECKING:
    from accounts.models import User

TAG = "Cases"


class Cases(ApiView):
    """The laboratory's cases."""

    scopes = {"GET": Scope.CASES_READ, "POST": Scope.CASES_WRITE}

    @reads(CasePage, tag=TAG, summary="List cases", found=False, query=CaseFilter,
           operation_id="list_cases")  # fmt: skip
    def get(self, request: TokenRequest) -> Response:
        """Return cases, the newest first; `next_cursor` asks for the next ones."""
        wanted = query(request, CaseFilter).validated_data
        page = newest_first(
            list_cases(request.user, wanted),
            moment="registered_at",
            cursor=wanted.get("cursor", ""),
            limit=wanted["limit"],
        )
        answer = {"results": page.rows, "next_cursor": page.next_cursor}
        return Response(CasePage(answer).data)

    @posts(NewCase, CaseShape, tag=TAG, summary="Open a case", status=201, found=False,
           operation_id="open_case")  # fmt: skip
    @once
    def post(self, request: TokenRequest) -> Response:
        """Open a case for a registered patient, under the next accession number."""
        form = body(request, NewCase)
        patients = Patient.objects.visible_to(request.user)
        patient = patients.filter(pk=form.validated_data["patient"]).first()
        if patient is None:
            raise ValidationError({"patient": ["There is no such patient, or not for you."]})
        case = services.open_case(
            actor=request.user,
            patient=patient,
            order=form.order(),
            specimen=form.specimen_details(),
        )
        where = reverse("api:v1:case", args=[case.pk])
        return Response(describe(case, request), status=201, headers={"Location": where})


class OneCase(ApiView):
    """A case."""

    scopes = {"GET": Scope.CASES_READ}

    @reads(CaseShape, tag=TAG, summary="Read a case", operation_id="read_case")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return a case and the steps that its reader may take now."""
        case = intake.get_case(request.user, pk)
        record_read(actor=request.user, patient=case.patient)
        return Response(describe(case, request))


class Step(ApiView):
    """A step of a case along its life."""

    scopes = {"POST": Scope.CASES_WRITE}

    def take(
        self,
        request: TokenRequest,
        pk: uuid.UUID,
        service: Callable[..., Any],
        details: Mapping[str, Any],
    ) -> Response:
        """Move the case, if it still is as its reader saw it; answer with how it now stands."""
        visible = get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
        lock_case(visible.pk)
        require_match(request, lambda: describe(intake.get_case(request.user, pk), request))
        service(case_id=visible.pk, actor=request.user, **details)
        return Response(describe(intake.get_case(request.user, pk), request))


def describe(case: Case, request: TokenRequest) -> Any:
    """Return a case in its shape."""
    progress = intake.progress_of(list(intake.case_images(case)))
    context = {"progress": progress, "steps": steps_of(case, request.user)}
    return CaseShape(case, context=context).data


def review_manually(*, case_id: uuid.UUID, actor: "User", reason: str) -> Case:
    """Send a case to the pathologist as it is, though not all of it could be classified."""
    return transition(case_id=case_id, name="review_manually", actor=actor, reason=reason)


def cancel(*, case_id: uuid.UUID, actor: "User", reason: str) -> Case:
    """End a case that was opened in error or is no longer wanted; it stays on record."""
    return transition(case_id=case_id, name="cancel", actor=actor, reason=reason)


def _step(
    name: str, service: Callable[..., Any], *, summary: str, sent: type[Shape]
) -> Callable[..., HttpResponseBase]:
    """Return the view of a step, with what the step needs as its body."""

    @posts(sent, CaseShape, tag=TAG, summary=summary, parameters=[IF_MATCH], operation_id=name)
    @once
    def post(self: Step, request: TokenRequest, pk: uuid.UUID) -> Response:
        return self.take(request, pk, service, body(request, sent).validated_data)

    post.__doc__ = service.__doc__
    view: type[Step] = type(name, (Step,), {"post": post, "__doc__": service.__doc__})
    return view.as_view()


submit = _step("submit_case", services.submit_case, summary="Submit a case", sent=Nothing)
take_back = _step(
    "take_back_case",
    services.take_back,
    summary="Open a submitted case for more images",
    sent=Nothing,
)
retry = _step(
    "retry_case",
    services.retry_classification,
    summary="Classify the failed images again",
    sent=Nothing,
)
to_manual_review = _step(
    "review_case_manually",
    review_manually,
    summary="Send a case to review unclassified",
    sent=Reason,
)
reject = _step("reject_case", reviews.reject, summary="Reject an unfit specimen", sent=Reason)
cancelling = _step("cancel_case", cancel, summary="Cancel a case", sent=Reason)
