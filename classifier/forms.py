"""Forms of the technician: patient, case with specimen, reasons, uploads."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from classifier.enums import ImageKind, Priority, Sex, SpecimenCondition, SpecimenType, Stain
from classifier.models import Case, Specimen
from classifier.services.cases import OrderDetails, SpecimenDetails
from classifier.services.patients import Identity
from classifier.services.slides import MOST_FIELDS

IMAGE_TYPES = ".jpg,.jpeg,.png,.tif,.tiff,.bmp,.webp,image/jpeg,image/png,image/tiff,image/bmp"


class PatientForm(forms.Form):
    """Who the patient is: the number within its issuer, and name with birth date.

    Not a model form: that an MRN exists already is for the service to say, with the patient.
    """

    mrn = forms.CharField(
        label="Medical record number (MRN)",
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    mrn_issuer = forms.CharField(
        label="Issuer", max_length=64, help_text="The hospital or system that gave the number."
    )
    family_name = forms.CharField(
        max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    given_name = forms.CharField(
        max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    birth_date = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    sex = forms.ChoiceField(choices=[("", "Choose…"), *Sex.choices])

    def clean_birth_date(self) -> Any:
        born = self.cleaned_data["birth_date"]
        if born > timezone.localdate():
            raise forms.ValidationError("The birth date lies in the future.")
        if timezone.localdate().year - born.year > 130:
            raise forms.ValidationError("The birth date lies more than 130 years back.")
        return born

    def identity(self) -> Identity:
        """What the service is to register."""
        return Identity(**self.cleaned_data)


class DuplicateForm(forms.Form):
    """Why somebody who looks like a registered patient is another person."""

    duplicate_reason = forms.CharField(
        label="Why this is another person",
        max_length=250,
        widget=forms.TextInput(
            attrs={"placeholder": "For example: twin, confirmed with identity card"}
        ),
    )


class MomentInput(forms.DateTimeInput):
    """Date and time to the minute, by the browser's own picker."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class OrderForm(forms.ModelForm):
    """What was asked for, and what the analyser already knows."""

    priority = forms.ChoiceField(
        choices=[(p.value, p.label) for p in (Priority.ROUTINE, Priority.URGENT, Priority.STAT)],
        initial=Priority.ROUTINE,
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Case
        fields = [
            "priority", "ordering_clinician", "clinical_details", "wbc_count", "wbc_measured_at",
            "wbc_excludes_erythroblasts",
        ]  # fmt: skip
        labels = {
            "wbc_count": "WBC count (10⁹/L)",
            "wbc_measured_at": "Measured at",
            "wbc_excludes_erythroblasts": "The count leaves out nucleated red cells",
        }
        help_texts = {
            "wbc_count": "From the analyser, if known. Gives absolute counts.",
            "wbc_excludes_erythroblasts": "Then it is not corrected for them again.",
            "clinical_details": "Diagnosis, question, treatment.",
        }
        widgets = {
            "clinical_details": forms.Textarea(attrs={"rows": 3}),
            "wbc_count": forms.NumberInput(
                attrs={"step": "0.01", "min": "0", "inputmode": "decimal"}
            ),
            "wbc_measured_at": MomentInput(),
        }

    def clean(self) -> dict[str, Any]:
        """A WBC count has a time, a time has a count, and neither lies in the future."""
        values = super().clean() or {}
        count, measured = values.get("wbc_count"), values.get("wbc_measured_at")
        if count is not None and measured is None and "wbc_measured_at" not in self.errors:
            self.add_error("wbc_measured_at", "Say when the analyser measured the count.")
        if measured and count is None and "wbc_count" not in self.errors:
            self.add_error("wbc_count", "Give the count, or leave out its time.")
        if measured and measured > timezone.now():
            self.add_error("wbc_measured_at", "The count can't have been measured in the future.")
        return values

    def order(self) -> OrderDetails:
        """What the service is to order."""
        return OrderDetails(**self.cleaned_data)


class SpecimenForm(forms.ModelForm):
    """What was taken, when it came, and in which state."""

    specimen_type = forms.ChoiceField(choices=SpecimenType.choices, label="Specimen")
    stain = forms.ChoiceField(choices=Stain.choices)
    condition = forms.ChoiceField(choices=SpecimenCondition.choices, label="Condition on arrival")

    class Meta:
        model = Specimen
        fields = [
            "specimen_type", "collected_at", "received_at", "stain", "condition", "condition_note"
        ]  # fmt: skip
        labels = {"condition_note": "Note on the condition"}
        widgets = {"collected_at": MomentInput(), "received_at": MomentInput()}

    def clean(self) -> dict[str, Any]:
        """Say at the right field what the service would refuse: collected ≤ received ≤ now."""
        values = super().clean() or {}
        collected, received = values.get("collected_at"), values.get("received_at")
        if collected and collected > timezone.now():
            self.add_error("collected_at", "The specimen can't have been collected in the future.")
        elif received and received > timezone.now():
            self.add_error("received_at", "The specimen can't have been received in the future.")
        elif collected and received and collected > received:
            self.add_error("received_at", "Received before it was collected: check both times.")
        return values

    def specimen(self) -> SpecimenDetails:
        """What the service is to register."""
        return SpecimenDetails(**self.cleaned_data)


class ReasonForm(forms.Form):
    """Why a case leaves its usual way."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class KindForm(forms.Form):
    """Whether a picture shows one cell or a field."""

    kind = forms.ChoiceField(choices=ImageKind.choices)


class FieldsForm(forms.Form):
    """How many fields a worker is to take from a slide."""

    count = forms.IntegerField(label="Fields", min_value=1, max_value=MOST_FIELDS)


class ManyFilesInput(forms.ClearableFileInput):
    """A file picker for many images at once."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Many files; each is judged on its own, so even an empty one comes through."""

    widget = ManyFilesInput(attrs={"accept": IMAGE_TYPES})

    def clean(self, data: Any, initial: Any = None) -> Sequence[UploadedFile]:
        files = data if isinstance(data, (list, tuple)) else [data]
        if not any(files):
            raise forms.ValidationError("Choose at least one image.")
        return [file for file in files if file]


class UploadForm(forms.Form):
    """Images sent together, by a browser without scripts."""

    images = ManyFilesField()
