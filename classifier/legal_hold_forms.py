"""Forms of legal holds: putting one, lifting one."""

import uuid

from django import forms


class HoldForm(forms.Form):
    """Why a record is held; the id makes sending it twice harmless."""

    hold_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    reference = forms.CharField(
        label="Reference", max_length=120, help_text="File number, letter or court, with its date."
    )
    reason = forms.CharField(
        label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


class LiftHoldForm(forms.Form):
    """Why a record is held no more."""

    reason = forms.CharField(
        label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
