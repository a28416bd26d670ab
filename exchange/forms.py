"""Forms of the pages about senders and their messages."""

from collections.abc import Sequence
from typing import Any

from django import forms

from classifier.accession import is_well_formed
from classifier.models import Case
from exchange.models import AnalyteCode, OrderCode, Sender
from exchange.services.specimens import Pending

LONGEST_REASON = 500


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"})
    )


class MatchForm(ReasonForm):
    """To which case results belong."""

    accession_number = forms.CharField(
        max_length=20,
        widget=forms.TextInput(
            attrs={"class": "form-control mono", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    specimen = forms.TypedChoiceField(
        coerce=int, widget=forms.Select(attrs={"class": "form-select mono"})
    )
    field_order = ("specimen", "accession_number", "reason")

    def __init__(self, *args: Any, pending: Sequence[Pending], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(item.position, item.label) for item in pending]
        self.fields["specimen"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["specimen"].required = False
            self.fields["specimen"].initial = choices[0][0]

    def clean_accession_number(self) -> Case:
        """Return the case; a mistyped number is told from an unknown one."""
        number = self.cleaned_data["accession_number"].strip().upper()
        case = Case.objects.filter(accession_number=number).first()
        if case is None:
            mistyped = not is_well_formed(number)
            raise forms.ValidationError(
                "This number is mistyped." if mistyped else "There is no case with this number."
            )
        return case


class AgainForm(ReasonForm):
    """Whether the registered patient is meant."""

    same_person = forms.BooleanField(
        required=False,
        label="The patient registered under this number is meant; the register stays as it is.",
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )
    field_order = ("same_person", "reason")


class SenderForm(forms.ModelForm):
    """What is agreed with a sender."""

    class Meta:
        model = Sender
        fields = (
            "name", "kind", "protocol", "is_active", "networks", "certificate_name", "application",
            "facility", "mrn_issuer", "charset", "time_zone", "wants_plain_ack",
            "leaves_out_erythroblasts",
        )  # fmt: skip


class OrderCodeForm(forms.ModelForm):
    """A test that is done here."""

    class Meta:
        model = OrderCode
        fields = ("code", "name")
        widgets = {name: forms.TextInput(attrs={"class": "form-control"}) for name in fields}


class AnalyteCodeForm(forms.ModelForm):
    """What a code of an analyser measures."""

    class Meta:
        model = AnalyteCode
        fields = ("code", "analyte", "unit", "factor", "sender")
        labels = {"unit": "Unit where none is sent", "sender": "Of"}
        widgets = {
            "code": forms.TextInput(attrs={"class": "form-control"}),
            "analyte": forms.Select(attrs={"class": "form-select"}),
            "unit": forms.TextInput(attrs={"class": "form-control"}),
            "factor": forms.NumberInput(attrs={"class": "form-control", "step": "any"}),
            "sender": forms.Select(attrs={"class": "form-select"}),
        }
