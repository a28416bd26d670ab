"""Critical results and the calls about them, in and out."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from api.shapes.results import CriticalShape
from api.shapes.strict import Id, Moment, Shape, Text
from classifier.enums import CallChannel, CallOutcome
from classifier.services.critical_calls import WORDS_LIMIT, Attempt

SNAPSHOT_LENGTH = 64


class NewCall(Shape):
    """One attempt to tell the findings of a snapshot: to whom, how, and what came of it."""

    snapshot = Text(max_length=SNAPSHOT_LENGTH, help_text="`snapshot` of what the caller had read")
    channel = serializers.ChoiceField(
        choices=CallChannel.choices, required=False, default=CallChannel.PHONE
    )
    outcome = serializers.ChoiceField(choices=CallOutcome.choices)
    called_at = Moment(
        required=False, allow_null=True, default=None, help_text="left out or null: now"
    )
    recipient_name = Text(required=False, default="", allow_blank=True, max_length=150)
    recipient_role = Text(required=False, default="", allow_blank=True, max_length=100)
    contact = Text(required=False, default="", allow_blank=True, max_length=100)
    reason = Text(required=False, default="", allow_blank=True, max_length=WORDS_LIMIT)
    note = Text(required=False, default="", allow_blank=True, max_length=WORDS_LIMIT)

    def attempt(self) -> Attempt:
        """What the service is to write down."""
        values = dict(self.validated_data)
        values.pop("snapshot")
        return Attempt(**values | {"called_at": values["called_at"] or timezone.now()})


class CallShape(serializers.Serializer[Any]):
    """One attempt to tell a critical result; `snapshot` is what was told."""

    id = Id()
    snapshot = serializers.CharField(source="snapshot.sha256")
    caller = serializers.CharField(source="caller_name")
    called_at = serializers.DateTimeField()
    recipient_name = serializers.CharField(allow_blank=True)
    recipient_role = serializers.CharField(allow_blank=True)
    channel = serializers.ChoiceField(choices=CallChannel.choices)
    contact = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(choices=CallOutcome.choices)
    reason = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)


class AlertShape(serializers.Serializer[Any]):
    """An open alert: what is critical, what nobody was told yet, and until when it must be."""

    raised_at = serializers.DateTimeField(source="alert.raised_at")
    snapshot = serializers.CharField(source="snapshot.sha256")
    findings = CriticalShape(many=True)
    untold = CriticalShape(many=True)
    is_settled = serializers.BooleanField()
    due_at = serializers.DateTimeField(source="timer.due_at", default=None, allow_null=True)
    escalates_at = serializers.DateTimeField(
        source="timer.escalates_at", default=None, allow_null=True
    )
    is_escalated = serializers.BooleanField(source="timer.is_escalated", default=False)


class PastAlertShape(serializers.Serializer[Any]):
    """An alert of the case, open or closed, with every call about it."""

    raised_at = serializers.DateTimeField(source="alert.raised_at")
    closed_at = serializers.DateTimeField(source="alert.closed_at", allow_null=True)
    calls = CallShape(many=True)


class CriticalResultsShape(serializers.Serializer[Any]):
    """The open alert of a case, null where there is none, and all its alerts, the latest first."""

    open = AlertShape(allow_null=True)
    alerts = PastAlertShape(many=True)
