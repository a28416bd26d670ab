"""Forms of the pages about senders and their messages."""

from collections.abc import Sequence
from typing import Any

from django import forms

from classifier.accession import is_well_formed
from classifier.models import Case, Patient
from classifier.services.merging import DIFFERENCES, differences
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


class MergeForm(ReasonForm):
    """Why two records are merged, and that whoever does it has seen in what they differ."""

    def __init__(self, *args: Any, patients: Sequence[Patient], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        differing = differences(*patients) if len(patients) == 2 else frozenset[str]()
        for name in sorted(differing):
            self.fields[name] = forms.BooleanField(
                label=f"The {DIFFERENCES[name]} differs. I have seen it, and it is one person.",
                widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
                error_messages={"required": f"Confirm that the {DIFFERENCES[name]} differs."},
            )
        self.order_fields([*sorted(differing), "reason"])

    def named(self) -> frozenset[str]:
        """Return the differences that were seen."""
        return frozenset(name for name in DIFFERENCES if self.cleaned_data.get(name))


class SenderForm(forms.ModelForm):
    """What is agreed with a sender."""

    class Meta:
        model = Sender
        fields = (
            "name", "kind", "protocol", "is_active", "networks", "certificate_name", "application",
            "facility", "mrn_issuer", "charset", "time_zone", "takes_merges", "wants_plain_ack",
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
