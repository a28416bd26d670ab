"""Forms of the laboratory's limits: proposing a version of each kind, retiring one."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from classifier.enums import LEUKOCYTES, CriticalRule, Quantity
from classifier.models import CriticalLimit, DeltaLimit, ReferenceInterval
from classifier.models.limits import COUNTS

AGES = ("sex", "age_unit", "from_age", "to_age")
REASON_LIMIT = 250


class ProposalForm(forms.ModelForm):
    """What every proposal says beside its figures: the source, and from which day it judges."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].label = "Source"
        self.fields["source"].help_text = "Where the figures come from: study, kit, own data."
        self.fields["effective_from"] = forms.DateField(
            label="Judges from",
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            help_text="Holds for blood taken on this day and later, once approved.",
        )
        if "to_age" in self.fields:
            self.fields["from_age"].label = "From age"
            self.fields["to_age"].label = "To under age"
            self.fields["to_age"].help_text = "Empty: no upper end."
            self.fields["age_unit"].label = "Ages in"
            self.fields["sex"].help_text = "Empty: for all."

    def clean_effective_from(self) -> date:
        """A limit never judges what was reported already."""
        day: date = self.cleaned_data["effective_from"]
        if day < timezone.localdate():
            raise forms.ValidationError("Choose today or a later day.")
        return day

    def clean(self) -> dict[str, Any]:
        """Say in words what contradicts itself."""
        values = super().clean() or {}
        low, high = values.get("low"), values.get("high")
        if low is not None and high is not None and low >= high:
            self.add_error("high", "The upper limit must lie above the lower one.")
        start, end = values.get("from_age"), values.get("to_age")
        if start is not None and end is not None and end <= start:
            self.add_error("to_age", "The band must end at a higher age than it begins.")
        return values

    def validate_unique(self) -> None:
        """The service numbers the versions."""

    def validate_constraints(self) -> None:
        """`clean` says in words what the database would refuse."""


class ReferenceForm(ProposalForm):
    """A reference interval."""

    class Meta:
        model = ReferenceInterval
        fields = ["analyte", "quantity", "low", "high", *AGES, "source", "effective_from"]

    def clean(self) -> dict[str, Any]:
        """Refuse a share of what is no share of the leukocytes."""
        values = super().clean()
        if values.get("analyte") in COUNTS and values.get("quantity") == Quantity.PERCENT:
            self.add_error("quantity", "White count and platelets have absolute intervals only.")
        return values


class CriticalForm(ProposalForm):
    """A critical limit: bounds of a value, or that any cell of a class is critical."""

    class Meta:
        model = CriticalLimit
        fields = [
            *("analyte", "rule", "quantity", "low", "high", "known_days"),
            *(*AGES, "source", "effective_from"),
        ]
        labels = {"rule": "Critical is"}
        help_texts = {
            "low": "Empty: no lower limit.",
            "high": "Empty: no upper limit.",
            "known_days": "Any cell: for so many days after a report that told of it, no new call "
            "is needed. Empty: each time.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("low", "high", "known_days"):
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """Hold together what belongs to each rule; drop nothing silently."""
        values = super().clean()
        given = {name for name in ("low", "high") if values.get(name) is not None}
        if values.get("rule") == CriticalRule.SEEN:
            self._check_seen(values, given)
        elif values.get("rule") == CriticalRule.OUTSIDE:
            self._check_outside(values, given)
        return values

    def _check_seen(self, values: dict[str, Any], given: set[str]) -> None:
        if values.get("analyte") not in LEUKOCYTES:
            self.add_error("rule", "Only classes of leukocytes can be critical by being seen.")
        for name in given:
            self.add_error(name, "Where any cell is critical there is no limit.")
        values["quantity"] = ""

    def _check_outside(self, values: dict[str, Any], given: set[str]) -> None:
        if not given:
            self.add_error("low", "Give a lower limit, an upper limit, or both.")
        if not values.get("quantity"):
            self.add_error("quantity", "Say what the limit is of.")
        is_count = values.get("analyte") not in LEUKOCYTES
        if is_count and values.get("quantity") == "percent":
            self.add_error("quantity", "White count and platelets have absolute limits only.")
        if values.get("known_days") is not None:
            self.add_error("known_days", "Only for the rule that any cell is critical.")


class DeltaForm(ProposalForm):
    """A limit of change."""

    class Meta:
        model = DeltaLimit
        fields = ["analyte", "percent", "window_hours", "source", "effective_from"]
        labels = {"percent": "Change of more than (%)", "window_hours": "Within (hours)"}

    def clean_percent(self) -> Any:
        """Every change is more than nothing."""
        if self.cleaned_data["percent"] <= 0:
            raise forms.ValidationError("Give more than 0 %.")
        return self.cleaned_data["percent"]

    def clean_window_hours(self) -> int:
        """Two samples are never taken at the same moment."""
        hours: int = self.cleaned_data["window_hours"]
        if hours <= 0:
            raise forms.ValidationError("Give at least one hour.")
        return hours


class RetireForm(forms.Form):
    """Why a version judges no more."""

    reason = forms.CharField(label="Reason", max_length=REASON_LIMIT)


FORMS: dict[str, type[ProposalForm]] = {
    "reference": ReferenceForm,
    "critical": CriticalForm,
    "delta": DeltaForm,
}
