"""Referrals as the laboratory makes them: refer, change the term, withdraw, use the opinion."""

import uuid
from typing import Any

from django.urls import reverse
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.cases import Nothing
from api.shapes.discussion import (
    NewReferral,
    NewTerm,
    Printing,
    ReferralList,
    ReferralShape,
    Withdrawal,
)
from api.shapes.reviews import CommentShape
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import posts, reads
from api.v1.once import action_id_of, once
from api.v1.reading import body
from classifier.selectors import intake
from consultation.models import Referral
from consultation.selectors.referrals import get_opinion, get_referral, list_referrals
from consultation.services.opinions import mark_answer_read, print_opinion
from consultation.services.quoting import quote_opinion
from consultation.services.referrals import refer_case, withdraw_referral
from consultation.services.terms import change_term

TAG = "Referrals"
QUESTION = {"consultant": 12, "question": "Are the large cells blasts?"}


class CaseReferrals(ApiView):
    """The referrals of a case."""

    scopes = {"GET": Scope.DISCUSSION_READ, "POST": Scope.REFERRALS_WRITE}

    @reads(ReferralList, tag=TAG, summary="List a case's referrals", operation_id="list_referrals")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return to whom the case was referred and what they answered, the newest first."""
        case = intake.get_case(request.user, pk)
        record_read(actor=request.user, patient=case.patient)
        found = [view.referral for view in list_referrals(case, request.user)]
        return Response(ReferralList({"results": found}).data)

    @posts(NewReferral, ReferralShape, tag=TAG, summary="Refer a case", status=201,
           operation_id="refer_case", example=QUESTION)  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Let a consultant see this case alone, for the laboratory's number of days.

        Where identity isn't shown, neither the question nor shown clinical details may name the
        patient: 422. Somebody new is invited on the page, where the link is shown once.
        """
        form = body(request, NewReferral)
        case = intake.get_case(request.user, pk)
        referral = refer_case(
            case_id=case.pk,
            actor=request.user,
            referral_id=action_id_of(request),
            wanted=form.request(),
        )
        where = reverse("api:v1:referral", args=[referral.pk])
        return Response(describe(referral), status=201, headers={"Location": where})


class OneReferral(ApiView):
    """A referral."""

    scopes = {"GET": Scope.DISCUSSION_READ}

    @reads(ReferralShape, tag=TAG, summary="Read a referral", operation_id="read_referral")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return a referral with its opinions; the referrer has then read them."""
        referral = get_referral(request.user, pk)
        record_read(actor=request.user, patient=referral.case.patient)
        mark_answer_read(referral=referral, actor=request.user)
        return Response(describe(referral))


class ChangeTerm(ApiView):
    """For how long."""

    scopes = {"POST": Scope.REFERRALS_WRITE}

    @posts(NewTerm, ReferralShape, tag=TAG, summary="Change a referral's last day",
           operation_id="change_term", example={"last_day": "2026-04-30"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Let a running referral end with the end of a day; each change is kept."""
        sent = body(request, NewTerm).validated_data
        referral = get_referral(request.user, pk)
        change_term(referral=referral, actor=request.user, term_id=action_id_of(request), **sent)
        return Response(describe(referral))


class Withdraw(ApiView):
    """Taking referrals back."""

    scopes = {"POST": Scope.DISCUSSION_WRITE}

    @posts(Withdrawal, ReferralShape, tag=TAG, summary="Withdraw a referral",
           operation_id="withdraw_referral", example={"reason": "By mistake."})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Take the case out of the consultant's sight at once; what was answered stays."""
        sent = body(request, Withdrawal).validated_data
        referral = get_referral(request.user, pk)
        withdraw_referral(referral=referral, actor=request.user, **sent)
        return Response(describe(referral))


class PrintOpinion(ApiView):
    """Opinions in the report."""

    scopes = {"POST": Scope.REFERRALS_WRITE}

    @posts(Printing, ReferralShape, tag=TAG, summary="Have an opinion printed",
           operation_id="print_opinion", example={"is_printed": True})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Say whether the report prints the opinion, of a case that the owner has open."""
        sent = body(request, Printing).validated_data
        referral = get_referral(request.user, pk)
        print_opinion(referral=referral, actor=request.user, **sent)
        return Response(describe(referral))


class QuoteOpinion(ApiView):
    """Opinions in the interpretation."""

    scopes = {"POST": Scope.REFERRALS_WRITE}

    @posts(Nothing, CommentShape, tag=TAG, summary="Quote an opinion",
           operation_id="quote_opinion")  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Append an opinion, under its author's name, to the interpretation of the open review."""
        body(request, Nothing)
        opinion = get_opinion(request.user, pk)
        review = quote_opinion(opinion=opinion, actor=request.user)
        return Response({"text": review.comment})


def describe(referral: Referral) -> Any:
    """Return a referral in its shape, as it now stands."""
    found = Referral.objects.select_related("consultant", "referred_by")
    return ReferralShape(found.prefetch_related("opinions").get(pk=referral.pk)).data
