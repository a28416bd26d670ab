"""Forms of the quality boards."""

from django import forms

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class BaselineForm(forms.Form):
    """The days that later ones are compared with, and why."""

    first = forms.DateField(label="From", widget=_DATE)
    last = forms.DateField(label="To", widget=_DATE)
    reason = forms.CharField(
        label="Why these days",
        max_length=250,
        help_text="Such as: first month after validation; new stain lot accepted by controls.",
    )
