"""Patients, in and out."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from api.shapes.strict import Id, Shape, Text
from classifier.enums import Sex
from classifier.services.patients import Identity

OLDEST_YEARS = 130


class NewPatient(Shape):
    """Who is to be registered; `duplicate_reason` says why a look-alike is another person."""

    mrn = Text(max_length=32)
    mrn_issuer = Text(max_length=64)
    family_name = Text(max_length=100)
    given_name = Text(max_length=100)
    birth_date = serializers.DateField()
    sex = serializers.ChoiceField(choices=Sex.choices)
    duplicate_reason = Text(required=False, default="", allow_blank=True, max_length=250)

    def validate_birth_date(self, born: date) -> date:
        """Nobody was born in the future, or more than 130 years ago."""
        today = timezone.localdate()
        if born > today:
            raise serializers.ValidationError("The birth date lies in the future.")
        if born < today - timedelta(days=366 * OLDEST_YEARS):
            raise serializers.ValidationError("The birth date lies more than 130 years back.")
        return born

    def identity(self) -> Identity:
        """What the service is to register."""
        values: dict[str, Any] = dict(self.validated_data)
        values.pop("duplicate_reason")
        return Identity(**values)


class PatientNumber(Shape):
    """The number by which a patient is looked up; it never stands in an address."""

    mrn = Text(max_length=32)
    mrn_issuer = Text(required=False, default="", max_length=64)


class PatientShape(serializers.Serializer[Any]):
    """A registered patient."""

    id = Id()
    mrn = serializers.CharField()
    mrn_issuer = serializers.CharField()
    family_name = serializers.CharField()
    given_name = serializers.CharField()
    birth_date = serializers.DateField()
    sex = serializers.ChoiceField(choices=Sex.choices)
    registered_at = serializers.DateTimeField()
    merged_into = Id(source="merged_into_id", allow_null=True)


class FoundPatients(serializers.Serializer[Any]):
    """The patients that carry a number; several only where issuers gave the same one."""

    results = PatientShape(many=True)
