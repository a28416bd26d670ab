"""The form of a call about a critical result; quick to fill by keyboard."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from classifier.enums import CallChannel, CallOutcome
from classifier.models import Case
from classifier.services.critical_calls import WORDS_LIMIT, Attempt

ROLE_OF_CLINICIAN = "Requesting clinician"


class CallForm(forms.Form):
    """Who was told, how, and what came of it; time left empty means now."""

    call_id = forms.UUIDField(widget=forms.HiddenInput)
    snapshot = forms.CharField(max_length=64, widget=forms.HiddenInput)
    recipient_name = forms.CharField(label="Name", max_length=150, required=False)
    recipient_role = forms.CharField(label="Role", max_length=100, required=False)
    outcome = forms.ChoiceField(
        label="What came of it", choices=CallOutcome.choices, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label="Reason, if given up",
        max_length=WORDS_LIMIT,
        required=False,
        help_text="Why the result could not be told; needed to sign without a call.",
    )
    channel = forms.ChoiceField(label="By", choices=CallChannel.choices, initial=CallChannel.PHONE)
    contact = forms.CharField(label="Number", max_length=100, required=False)
    called_at = forms.DateTimeField(
        label="When",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Empty: now.",
    )
    note = forms.CharField(label="Note", max_length=WORDS_LIMIT, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name not in {"outcome", "channel"}:
                field.widget.attrs["class"] = "form-control form-control-sm"
        self.fields["channel"].widget.attrs["class"] = "form-select form-select-sm"

    @classmethod
    def for_case(cls, case: Case, **initial: Any) -> "CallForm":
        """Return an empty form that proposes the clinician who asked for the examination."""
        if case.ordering_clinician:
            initial |= {
                "recipient_name": case.ordering_clinician,
                "recipient_role": ROLE_OF_CLINICIAN,
            }
        return cls(initial=initial)

    def attempt(self) -> Attempt:
        """Return what was filled in."""
        values = self.cleaned_data
        called_at: datetime = values["called_at"] or timezone.now()
        return Attempt(
            channel=values["channel"],
            outcome=values["outcome"],
            called_at=called_at,
            recipient_name=values["recipient_name"],
            recipient_role=values["recipient_role"],
            contact=values["contact"],
            reason=values["reason"],
            note=values["note"],
        )
