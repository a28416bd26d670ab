"""Forms of retention: proposing a rule, saying why."""

import uuid
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from retention.enums import EVENTS, CountsFrom, RecordType, TimeUnit
from retention.models import RetentionRule
from retention.models.rules import LONGEST

_MOST = {TimeUnit.YEARS: LONGEST, TimeUnit.MONTHS: LONGEST * 12, TimeUnit.DAYS: 32_000}


class RuleForm(forms.ModelForm):
    """A rule with where its figure comes from; nothing is filled in beforehand."""

    class Meta:
        model = RetentionRule
        fields = [
            *("record_type", "counts_from", "keep_for", "unit", "minimum", "minimum_source"),
            *("source", "effective_from"),
        ]
        labels = {
            "record_type": "Records",
            "counts_from": "Counted from",
            "keep_for": "Kept for",
            "minimum": "At least, by law or contract",
            "minimum_source": "Where that stands",
            "source": "Why this long",
        }
        help_texts = {
            "unit": "Of both periods.",
            "minimum": "Empty: none is known. A shorter period is refused.",
            "minimum_source": "Law, section, place; for example the paragraph and its date.",
            "source": "Decision or policy of the laboratory, with its date.",
        }
        widgets = {"source": forms.TextInput, "minimum_source": forms.TextInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["minimum"].required = False
        self.fields["effective_from"] = forms.DateField(
            label="Rules from",
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            help_text="From this day on, once approved.",
        )

    def clean_effective_from(self) -> date:
        """A rule never says what held before."""
        day: date = self.cleaned_data["effective_from"]
        if day < timezone.localdate():
            raise forms.ValidationError("Choose today or a later day.")
        return day

    def clean(self) -> dict[str, Any]:
        """Say in words what the database would refuse."""
        values = super().clean() or {}
        self._check_event(values)
        self._check_period(values)
        if bool(values.get("minimum")) != bool(values.get("minimum_source")):
            self.add_error("minimum_source", "Give both the period and where it stands, or none.")
        return values

    def _check_event(self, values: dict[str, Any]) -> None:
        kind, event = values.get("record_type"), values.get("counts_from")
        if kind and event and CountsFrom(event) not in EVENTS[RecordType(kind)]:
            words = " or ".join(str(each.label) for each in EVENTS[RecordType(kind)])
            self.add_error("counts_from", f"The period of these records counts from {words}.")

    def _check_period(self, values: dict[str, Any]) -> None:
        keep, least, unit = values.get("keep_for"), values.get("minimum"), values.get("unit")
        if keep is not None and unit and not 0 < keep <= _MOST[TimeUnit(unit)]:
            self.add_error("keep_for", f"Give 1 to {_MOST[TimeUnit(unit)]} {unit}.")
        if keep is not None and least is not None and keep < least:
            self.add_error("keep_for", f"This is shorter than the least of {least} {unit}.")
        if least == 0:
            self.add_error("minimum", "Leave it empty if none is known.")

    def validate_unique(self) -> None:
        """The service numbers the versions."""

    def validate_constraints(self) -> None:
        """`clean` says in words what the database would refuse."""


class ReasonForm(forms.Form):
    """Why something is ended."""

    reason = forms.CharField(label="Why?", max_length=250)


class ProposeForm(forms.Form):
    """What is to go; the id makes sending it twice harmless."""

    disposal_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class ProposeMonthsForm(ProposeForm):
    """Of which months and systems messages are to go."""

    months = forms.MultipleChoiceField(
        error_messages={
            "required": "Choose at least one month.",
            "invalid_choice": "What is due changed since the list was made. Look at it again.",
        }
    )

    def __init__(self, data: Any = None, *, offered: Any = ()) -> None:
        super().__init__(data)
        self.fields["months"].choices = offered  # type: ignore[attr-defined]


class ProposeCasesForm(ProposeForm):
    """Of which of the due cases pictures are to go."""

    cases = forms.TypedMultipleChoiceField(
        coerce=uuid.UUID, error_messages={"required": "Choose at least one case."}
    )

    def __init__(self, data: Any = None, *, offered: Any = ()) -> None:
        super().__init__(data)
        self.fields["cases"].choices = offered  # type: ignore[attr-defined]


class CopyForm(forms.Form):
    """What a copy of everything about a patient is for; the id makes a form sent twice one copy."""

    copy_id = forms.UUIDField(widget=forms.HiddenInput)
    purpose = forms.CharField(
        label="What for",
        max_length=300,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        help_text="For example the patient's letter and its date, for the audit trail.",
    )
    with_slides = forms.BooleanField(
        label="With whole slides",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
        help_text="They may have gigabytes. Pictures of fields and cells are always included.",
    )

    @classmethod
    def blank(cls) -> "CopyForm":
        """Return a form for a new copy."""
        return cls(initial={"copy_id": uuid.uuid4()})
