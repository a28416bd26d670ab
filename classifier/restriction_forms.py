"""Forms of restricted records: the mark, who is named, opening in an emergency, judging that."""

import uuid
from typing import TYPE_CHECKING

from django import forms

from accounts.models import User
from classifier.enums import EmergencyCause, EmergencyVerdict, RestrictionKind

if TYPE_CHECKING:
    from django.http import QueryDict


def _words(label: str) -> forms.CharField:
    return forms.CharField(label=label, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class RestrictForm(forms.Form):
    """Why a record is restricted; the id makes sending it twice harmless."""

    restriction_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    kind = forms.ChoiceField(label="Who it is", choices=RestrictionKind.choices)
    reason = _words("Reason")


class LiftForm(forms.Form):
    """Why a record is open again."""

    reason = _words("Reason")


class NameForm(forms.Form):
    """Whom the access list names, and why."""

    person = forms.ModelChoiceField(
        queryset=User.objects.none(), label="Person", empty_label="Choose a person"
    )
    reason = _words("Reason")

    def __init__(self, data: "QueryDict | None" = None, *, actor: User) -> None:
        super().__init__(data, auto_id="name_%s")
        self.fields["person"].queryset = (  # type: ignore[attr-defined]
            User.objects.all().holding("view_patient").exclude(pk=actor.pk)
        )


class EmergencyForm(forms.Form):
    """Why somebody opens a restricted record without taking part in the care."""

    access_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    case = forms.UUIDField(widget=forms.HiddenInput, required=False)
    cause = forms.ChoiceField(
        label="Reason", choices=[("", "Choose a reason"), *EmergencyCause.choices]
    )
    words = _words("In your words")


class JudgeForm(forms.Form):
    """What somebody says of an emergency access afterwards."""

    verdict = forms.ChoiceField(
        label="Was it justified?", choices=EmergencyVerdict.choices, widget=forms.RadioSelect
    )
    words = _words("Why")
