"""Forms of graded morphology: a reviewer's grades, and the laboratory's features."""

from typing import Any

from django import forms
from django.utils.text import slugify

from classifier.enums import CellLine
from classifier.models import MorphologyFeature
from classifier.review_forms import ActionForm
from classifier.services.morphology import COMMENT_LIMIT, Observation
from classifier.services.morphology_features import CONTENT


class FeatureForm(ActionForm):
    """A step on one feature."""

    code = forms.SlugField(max_length=40)


class GradeForm(FeatureForm):
    """A grade, or the count from which it follows."""

    grade = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, choices=[(grade, grade) for grade in range(4)]
    )
    count = forms.DecimalField(required=False, min_value=0, max_value=100)
    comment = forms.CharField(required=False, max_length=COMMENT_LIMIT)

    def clean(self) -> dict[str, Any]:
        """Hand on what was said the way the service takes it."""
        cleaned = super().clean() or {}
        cleaned["observation"] = Observation(
            cleaned.pop("grade", None), cleaned.pop("count", None), cleaned.pop("comment", "")
        )
        return cleaned


class LineForm(ActionForm):
    """A step on a cell line."""

    line = forms.ChoiceField(choices=CellLine.choices)


class ProposalForm(forms.ModelForm):
    """A new version of a feature."""

    class Meta:
        model = MorphologyFeature
        fields = list(CONTENT)
        widgets = {
            "effective_from": forms.DateInput(attrs={"type": "date"}),
            "description": forms.Textarea(attrs={"rows": 2}),
        }
        labels = {"effective_from": "In force from", "is_common": "Shown first"}
        help_texts = {
            "position": "Features are listed in this order.",
            "source": "Where the cut-offs come from: a publication, your own study.",
        }

    def clean(self) -> dict[str, Any]:
        """Cut-offs need a unit, a unit needs cut-offs, and they rise."""
        cleaned = super().clean() or {}
        cut_offs = [cleaned.get(name) for name in ("one_above", "two_from", "three_above")]
        given = [value for value in cut_offs if value is not None]
        if bool(cleaned.get("unit")) != bool(given):
            raise forms.ValidationError(
                "Give a unit and at least one cut-off, or neither if the grade is judged by eye."
            )
        if given != sorted(given):
            raise forms.ValidationError("The cut-offs must rise from 1+ to 3+.")
        return cleaned


class NewFeatureForm(ProposalForm):
    """A feature that the laboratory didn't have; its lasting code follows from its name."""

    def clean(self) -> dict[str, Any]:
        """The code must be new."""
        cleaned = super().clean()
        self.code = slugify(cleaned.get("name", "")).replace("-", "_")[:40]
        if MorphologyFeature.objects.filter(code=self.code).exists():
            self.add_error("name", "There is a feature of this name: propose a version of it.")
        return cleaned


class ApprovalForm(forms.Form):
    """The versions that were ticked."""

    feature = forms.ModelMultipleChoiceField(MorphologyFeature.objects.all())
