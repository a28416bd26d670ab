"""Plain forms of the review page, for browsers whose scripts don't run."""

import uuid
from typing import Any

from django import forms
from django.http import QueryDict

from classifier.enums import CellType
from classifier.services.marking import REASON_LIMIT


class ActionForm(forms.Form):
    """A step, and the id that makes its repetition harmless."""

    action_id = forms.UUIDField()


class StepForm(ActionForm):
    """A step on cells, and what its author had seen.

    `known` is the latest correction of the case that the page showed; older pages don't tell.
    """

    known = forms.IntegerField(required=False, min_value=0)


class LateResultsForm(forms.Form):
    """Values of an analyser that came after signing, to be taken into the amendment."""

    results = forms.TypedMultipleChoiceField(coerce=uuid.UUID)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        sent = [(value, value) for value in data.getlist("results") if _is_uuid(value)]
        self.fields["results"].choices = sent  # type: ignore[attr-defined]


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


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
