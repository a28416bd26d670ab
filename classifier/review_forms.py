"""Plain forms of the review page, for browsers whose scripts don't run."""

from typing import Any

from django import forms

from classifier.enums import CellType
from classifier.services.corrections import REASON_LIMIT


class StepForm(forms.Form):
    """A step and the id that makes its repetition harmless."""

    action_id = forms.UUIDField()


class CellsForm(StepForm):
    """A step on the cell that the page shows."""

    cell = forms.UUIDField()

    def clean(self) -> dict[str, Any]:
        """Hand the cell on the way the services take cells."""
        cleaned = super().clean() or {}
        cleaned["cell_ids"] = [cleaned.pop("cell", None)]
        return cleaned


class NameForm(CellsForm):
    """The class that the cell gets."""

    cell_type = forms.ChoiceField(choices=CellType.choices)
    reason = forms.CharField(required=False, max_length=REASON_LIMIT)


class CommentForm(forms.Form):
    """The interpretation and the revision that its writer had read."""

    text = forms.CharField(required=False, strip=False)
    revision = forms.CharField(max_length=16)
