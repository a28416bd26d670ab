"""Comments and referrals as the laboratory writes and reads them."""

from typing import Any

from rest_framework import serializers

from api.shapes.consultations import OpinionShape
from api.shapes.strict import Flag, Id, Shape, Text, Whole
from consultation.enums import ReferralState
from consultation.services.discussion import TEXT_LIMIT
from consultation.services.referrals import QUESTION_LIMIT, REASON_LIMIT, Request

MOST_ID = 2**31 - 1
MOST_MENTIONS = 50


class NewRemark(Shape):
    """What is said, of which cell or field (else of the case), and whom it is for."""

    text = Text(max_length=TEXT_LIMIT)
    cell = Id(required=False, allow_null=True, default=None)
    image = Id(required=False, allow_null=True, default=None)
    mentions = serializers.ListField(
        child=Whole(min_value=1, max_value=MOST_ID),
        required=False,
        default=list,
        max_length=MOST_MENTIONS,
    )


class NewReferral(Shape):
    """Whom to ask, what, and what of the patient is shown."""

    consultant = Whole(min_value=1, max_value=MOST_ID)
    question = Text(max_length=QUESTION_LIMIT)
    shows_identity = Flag(required=False, default=False)
    shows_clinical_details = Flag(required=False, default=False)

    def request(self) -> Request:
        """What is asked, as the service takes it."""
        values = dict(self.validated_data)
        return Request(consultant_id=values.pop("consultant"), **values)


class NewTerm(Shape):
    """Until the end of which day a consultant sees the case."""

    last_day = serializers.DateField()
    reason = Text(required=False, default="", allow_blank=True, max_length=REASON_LIMIT)


class Withdrawal(Shape):
    """Why a referral is taken back."""

    reason = Text(max_length=REASON_LIMIT)


class Printing(Shape):
    """Whether the report prints the words of the opinion."""

    is_printed = Flag()


class PersonShape(serializers.Serializer[Any]):
    """Somebody who can be mentioned or asked; `is_outside` of the laboratory."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="name_with_title")
    is_outside = serializers.SerializerMethodField()
    has_joined = serializers.BooleanField(source="is_active")

    def get_is_outside(self, person: Any) -> bool:
        """True for consultants from outside."""
        return bool(person.role == "consultant")


class PersonList(serializers.Serializer[Any]):
    """People, by name."""

    results = PersonShape(many=True)


class RemarkShape(serializers.Serializer[Any]):
    """A comment; of one that its author took back, only that it stood there."""

    id = Id(source="comment.pk")
    author = serializers.CharField(source="comment.author.full_name")
    text = serializers.SerializerMethodField()
    cell = serializers.UUIDField(source="comment.cell_id", allow_null=True)
    image = serializers.UUIDField(source="comment.image_id", allow_null=True)
    mentions = serializers.ListField(child=serializers.CharField(), source="people")
    created_at = serializers.DateTimeField(source="comment.created_at")
    is_retracted = serializers.BooleanField()

    def get_text(self, view: Any) -> str:
        """What was said; empty once it was taken back."""
        return "" if view.is_retracted else str(view.comment.text)


class RemarkList(serializers.Serializer[Any]):
    """The comments on a case, its fields and its cells, the oldest first."""

    results = RemarkShape(many=True)


class ReferralShape(serializers.Serializer[Any]):
    """A referral as the laboratory sees it, with the opinions given."""

    id = Id()
    case = Id(source="case_id")
    reference = serializers.CharField()
    consultant = serializers.CharField(source="consultant.name_with_title")
    is_outside = serializers.BooleanField()
    question = serializers.CharField()
    shows_identity = serializers.BooleanField()
    shows_clinical_details = serializers.BooleanField()
    prints_opinion = serializers.BooleanField()
    referred_by = serializers.CharField(source="referred_by.name_with_title")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    first_opened_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    withdrawal_reason = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=ReferralState.choices)
    opinions = OpinionShape(many=True, source="opinions.all")


class ReferralList(serializers.Serializer[Any]):
    """The referrals of a case, the newest first."""

    results = ReferralShape(many=True)
