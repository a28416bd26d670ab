"""What was referred to the token's owner, in and out: no more of the patient than was meant."""

from typing import Any

from rest_framework import serializers

from api.shapes.results import CellShape, DifferentialShape
from api.shapes.strict import Id, Shape, Text
from consultation.enums import ReferralState
from consultation.services.opinions import (
    DIAGNOSIS_LIMIT,
    IMPRESSION_LIMIT,
    STATEMENT,
    TEXT_LIMIT,
    Words,
)


class NewWords(Shape):
    """What a consultant writes; `impressions` are remarks on the cells of a class."""

    text = Text(required=False, default="", allow_blank=True, max_length=TEXT_LIMIT)
    diagnosis = Text(required=False, default="", allow_blank=True, max_length=DIAGNOSIS_LIMIT)
    impressions = serializers.DictField(
        child=Text(max_length=IMPRESSION_LIMIT), required=False, default=dict
    )

    def words(self) -> Words:
        """What was written, as the services take it."""
        return Words(**self.validated_data)


class WordsShape(serializers.Serializer[Any]):
    """What a consultant wrote."""

    text = serializers.CharField(allow_blank=True)
    diagnosis = serializers.CharField(allow_blank=True)
    impressions = serializers.DictField(child=serializers.CharField())


class OpinionShape(WordsShape):
    """An opinion under its author's name; it is never changed."""

    id = Id()
    author = serializers.CharField(source="author_name")
    given_at = serializers.DateTimeField()


class ConsultationRow(serializers.Serializer[Any]):
    """A referral to the token's owner; of one that ended, the question is out of sight too."""

    id = Id()
    reference = serializers.CharField()
    question = serializers.SerializerMethodField()
    referred_by = serializers.CharField(source="referred_by.name_with_title")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=ReferralState.choices)
    is_open = serializers.BooleanField()

    def get_question(self, referral: Any) -> str:
        """What is asked; empty once the case is out of sight."""
        return str(referral.question) if referral.is_open else ""


class ConsultationList(serializers.Serializer[Any]):
    """All that was ever referred to the token's owner, what waits for an opinion first."""

    results = ConsultationRow(many=True)


class IdentityShape(serializers.Serializer[Any]):
    """Whose blood it is; only where the referrer meant to show it."""

    name = serializers.CharField()
    mrn = serializers.CharField()
    birth_date = serializers.DateField()
    accession_number = serializers.CharField()


class ReferredFieldShape(serializers.Serializer[Any]):
    """A field by its number; its file's name stays in the laboratory."""

    image = Id(source="image_id")
    number = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ConsultationShape(serializers.Serializer[Any]):
    """The referred case as its consultant may see it, and the opinions given so far."""

    referral = ConsultationRow()
    is_outside = serializers.BooleanField()
    identity = IdentityShape(allow_null=True)
    clinical_details = serializers.CharField(allow_blank=True)
    age_years = serializers.IntegerField()
    sex = serializers.CharField()
    specimen = serializers.CharField()
    stain = serializers.CharField()
    differential = DifferentialShape()
    cells = serializers.SerializerMethodField()
    fields_shown = ReferredFieldShape(many=True, source="fields")
    opinions = OpinionShape(many=True, source="referral.opinions.all")
    statement = serializers.CharField(default=STATEMENT, help_text="what giving an opinion means")

    def get_cells(self, seen: Any) -> CellShape(many=True):  # type: ignore[valid-type]
        """The cells to look at, class by class."""
        return CellShape([cell for group in seen.groups for cell in group.cells], many=True).data
