"""Forms of the registry of models."""

import uuid
from typing import Any

from django import forms

from classifier.enums import CellType, Stain
from learning.enums import Method, SetKind
from learning.models import AcceptanceRule, BasisOfUse


class UploadForm(forms.Form):
    """An archive of a release."""

    upload_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    archive = forms.FileField(
        label="Archive",
        help_text="A zip or tar of a release's folder: spec.json, weights, serving form, card.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,.tar,.gz,.tgz,.xz,.bz2"}),
    )
    note = forms.CharField(
        label="Note", max_length=250, required=False, help_text="Where it comes from, and why."
    )


class SetForm(forms.Form):
    """A new labelled set."""

    name = forms.SlugField(label="Name", max_length=64, help_text="Letters, digits, hyphens.")
    kind = forms.ChoiceField(label="For", choices=SetKind.choices, initial=SetKind.GOLDEN)
    source = forms.CharField(label="Source", max_length=200, help_text="Where its cells come from.")
    licence = forms.CharField(label="Licence", max_length=200, required=False)


class SetUploadForm(forms.Form):
    """An archive of labelled pictures, and the set that is to be frozen of it."""

    upload_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    archive = forms.FileField(
        label="Archive",
        help_text="A zip with a folder of pictures for each class, or with a catalogue.csv. Each "
        "picture shows one cell, or the catalogue says where the cell lies.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip"}),
    )
    name = forms.SlugField(
        label="Name",
        max_length=64,
        help_text="Letters, digits, hyphens. The same name again makes its next version.",
    )
    kind = forms.ChoiceField(label="For", choices=SetKind.choices, initial=SetKind.GOLDEN)
    source = forms.CharField(
        label="Source", max_length=200, help_text="Which laboratory, stain and camera, whose names."
    )
    licence = forms.CharField(
        label="Licence", max_length=200, help_text="Under which the pictures may be used."
    )


class NominateForm(forms.Form):
    """A signed case whose named cells are put forward."""

    accession_number = forms.CharField(label="Accession number of a signed case", max_length=32)


class ReadForm(forms.Form):
    """What the second reader calls a cell."""

    nomination = forms.IntegerField(widget=forms.HiddenInput)
    cell_type = forms.ChoiceField(
        label="What is it?",
        choices=[pair for pair in CellType.choices if pair[0] != CellType.UNIDENTIFIED],
        widget=forms.RadioSelect,
    )


class TrainingSetForm(forms.Form):
    """Which signed cases a training set is drawn from."""

    since = forms.DateField(
        label="Cases signed from", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label="Cases signed until", widget=forms.DateInput(attrs={"type": "date"})
    )
    stain = forms.ChoiceField(
        label="Stain", required=False, choices=[("", "Every stain"), *Stain.choices]
    )


class TrainForm(forms.Form):
    """In which way a candidate is made of a set."""

    method = forms.ChoiceField(choices=Method.choices)


class BasisForm(forms.ModelForm):
    """A version of the basis on which the laboratory learns from its patients' cells."""

    class Meta:
        model = BasisOfUse
        fields = ["words", "licence", "covers_from"]
        widgets = {"covers_from": forms.DateInput(attrs={"type": "date"})}


class ObjectionForm(forms.Form):
    """A patient, by a case, who does not want to be learned from."""

    accession_number = forms.CharField(label="Accession number of a case", max_length=32)
    reason = forms.CharField(label="Note", max_length=250, required=False)


class LeaveOutForm(forms.Form):
    """Why a cell is left out of a training set, or that it is taken back."""

    reason = forms.CharField(max_length=250, required=False)
    takes_back = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """A cell is left out for a reason, or taken back without one."""
        found = super().clean() or {}
        if bool(found.get("reason")) == bool(found.get("takes_back")):
            raise forms.ValidationError("Say why, or take it back.")
        return found


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(label="Reason", max_length=500)


class ProofForm(ReasonForm):
    """Why, and the password again."""

    password = forms.CharField(
        label="Your password, again",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class RuleForm(forms.ModelForm):
    """A version of the rule by which candidates are judged."""

    class Meta:
        model = AcceptanceRule
        fields = ["margin_points", "least_cells", "source"]
        help_texts = {
            "margin_points": "By how many points the recall of a class may be lower, at the lower "
            "end of the 95 % interval of the difference.",
            "least_cells": "Classes with fewer cells in a set are not judged on it.",
            "source": "Why these figures.",
        }
