"""The form by which an export for research is asked for."""

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from reports.services.research import Wish

_DATE = forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")
_PERIOD = timedelta(days=365)


class ResearchForm(forms.Form):
    """Period, pictures, purpose; the id makes a form that is sent twice one export."""

    export_id = forms.UUIDField(widget=forms.HiddenInput)
    first = forms.DateField(label="Signed from", widget=_DATE)
    last = forms.DateField(label="Signed to", widget=_DATE)
    purpose = forms.CharField(
        label="What for",
        max_length=300,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        help_text="Study and approval, for the audit trail. It is not part of the archive.",
    )
    with_images = forms.BooleanField(
        label="With pictures",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    @classmethod
    def blank(cls) -> "ResearchForm":
        """Return a form for a new export: the last year, with pictures."""
        today = timezone.localdate()
        return cls(
            initial={
                "export_id": uuid.uuid4(),
                "first": today - _PERIOD,
                "last": today,
                "with_images": True,
            }
        )

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", "The period ends before it begins.")
        return cleaned

    def wish(self) -> Wish:
        """Return what was asked for."""
        given = self.cleaned_data
        return Wish(given["first"], given["last"], given["with_images"], given["purpose"])
