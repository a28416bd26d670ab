"""Cases, in and out."""

from datetime import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.shapes.strict import Amount, Flag, Id, Moment, Shape, Text
from classifier.enums import CaseStatus, Priority, SpecimenCondition, SpecimenType, Stain
from classifier.services.cases import OrderDetails, SpecimenDetails

MOST_ON_A_PAGE = 100
REASON_LIMIT = 500


class Specimen(Shape):
    """What was taken, when it came, and in which state: collected ≤ received ≤ now."""

    collected_at = Moment()
    received_at = Moment()
    specimen_type = serializers.ChoiceField(
        choices=SpecimenType.choices, required=False, default=SpecimenType.EDTA_BLOOD
    )
    stain = serializers.ChoiceField(
        choices=Stain.choices, required=False, default=Stain.MAY_GRUNWALD_GIEMSA
    )
    condition = serializers.ChoiceField(
        choices=SpecimenCondition.choices, required=False, default=SpecimenCondition.SATISFACTORY
    )
    condition_note = Text(required=False, default="", allow_blank=True, max_length=250)


class WhiteCount(Shape):
    """The analyser's white count, 10⁹/L, and whether it leaves out nucleated red cells."""

    value = Amount(
        max_digits=6, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(1000)]
    )
    measured_at = Moment()
    excludes_erythroblasts = Flag(required=False, default=False)

    def validate_measured_at(self, moment: datetime) -> datetime:
        """Nothing was measured in the future."""
        if moment > timezone.now():
            raise serializers.ValidationError("The count can't have been measured in the future.")
        return moment


class NewCase(Shape):
    """What was asked for, for whom, on which specimen."""

    patient = Id()
    priority = serializers.ChoiceField(
        choices=Priority.choices, required=False, default=Priority.ROUTINE
    )
    ordering_clinician = Text(required=False, default="", allow_blank=True, max_length=150)
    clinical_details = Text(required=False, default="", allow_blank=True, max_length=10_000)
    specimen = Specimen()
    white_count = WhiteCount(required=False, allow_null=True, default=None)

    def order(self) -> OrderDetails:
        """What the service is to order."""
        values = self.validated_data
        count = values["white_count"] or {}
        return OrderDetails(
            priority=values["priority"],
            ordering_clinician=values["ordering_clinician"],
            clinical_details=values["clinical_details"],
            wbc_count=count.get("value"),
            wbc_measured_at=count.get("measured_at"),
            wbc_excludes_erythroblasts=count.get("excludes_erythroblasts", False),
        )

    def specimen_details(self) -> SpecimenDetails:
        """What the service is to register."""
        return SpecimenDetails(**self.validated_data["specimen"])


class Nothing(Shape):
    """A step that needs no more than its address; the body may be `{}`."""


class Reason(Shape):
    """Why a case leaves its usual way."""

    reason = Text(max_length=REASON_LIMIT)


class CaseFilter(Shape):
    """Which cases to list: all conditions hold together."""

    status = serializers.ChoiceField(choices=CaseStatus.choices, required=False)
    priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    patient = Id(required=False)
    accession_number = Text(required=False, max_length=16)
    registered_since = Moment(required=False)
    registered_before = Moment(required=False)
    signed_since = Moment(required=False)
    signed_before = Moment(required=False)
    reviewer = serializers.ChoiceField(
        choices=["me"], required=False, help_text="`me`: cases that the token's owner has open"
    )
    critical = serializers.ChoiceField(
        choices=["untold"],
        required=False,
        help_text="`untold`: cases with a critical result that nobody was told yet",
    )
    limit = serializers.IntegerField(
        required=False, default=50, min_value=1, max_value=MOST_ON_A_PAGE
    )
    cursor = Text(required=False, max_length=200, help_text="`next_cursor` of the page before")


class CaseRow(serializers.Serializer[Any]):
    """A case in a list: no more of the patient than an id."""

    id = Id()
    accession_number = serializers.CharField()
    patient = Id(source="patient_id")
    status = serializers.ChoiceField(choices=CaseStatus.choices)
    priority = serializers.ChoiceField(choices=Priority.choices)
    version = serializers.IntegerField()
    registered_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    signed_at = serializers.DateTimeField(allow_null=True)


class CasePage(serializers.Serializer[Any]):
    """Some cases, the newest first, and where the next ones begin."""

    results = CaseRow(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class SpecimenShape(serializers.Serializer[Any]):
    """The specimen as it was received."""

    specimen_type = serializers.ChoiceField(choices=SpecimenType.choices)
    collected_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    stain = serializers.ChoiceField(choices=Stain.choices)
    condition = serializers.ChoiceField(choices=SpecimenCondition.choices)
    condition_note = serializers.CharField(allow_blank=True)


class WhiteCountShape(serializers.Serializer[Any]):
    """The analyser's white count, 10⁹/L."""

    value = serializers.DecimalField(max_digits=6, decimal_places=2)
    measured_at = serializers.DateTimeField(allow_null=True)
    excludes_erythroblasts = serializers.BooleanField()


class ProgressShape(serializers.Serializer[Any]):
    """How many images the case has, and how many of them were read, or in vain."""

    total = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()


class StatusShape(serializers.Serializer[Any]):
    """How a case stands, and how many of its images were read; `version` grows with each step."""

    case = Id()
    status = serializers.ChoiceField(choices=CaseStatus.choices)
    version = serializers.IntegerField()
    images = ProgressShape()


class CaseShape(CaseRow):
    """A case as it stands, and the steps that its reader may take now."""

    ordering_clinician = serializers.CharField(allow_blank=True)
    clinical_details = serializers.CharField(allow_blank=True)
    status_reason = serializers.CharField(allow_blank=True)
    specimen = SpecimenShape()
    white_count = serializers.SerializerMethodField()
    images = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()

    @extend_schema_field(WhiteCountShape(allow_null=True))
    def get_white_count(self, case: Any) -> Any:
        """None where no analyser told one."""
        if case.wbc_count is None:
            return None
        return WhiteCountShape(
            {
                "value": case.wbc_count,
                "measured_at": case.wbc_measured_at,
                "excludes_erythroblasts": case.wbc_excludes_erythroblasts,
            }
        ).data

    @extend_schema_field(ProgressShape)
    def get_images(self, _case: Any) -> Any:
        """What `selectors.intake.progress_of` counted."""
        return ProgressShape(self.context["progress"]).data

    def get_steps(self, _case: Any) -> list[str]:
        """Names of steps, as they stand in their addresses."""
        return list(self.context["steps"])
