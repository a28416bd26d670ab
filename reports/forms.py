"""What the signer and the amender fill in."""

import uuid
from typing import Any

from django import forms

from reports.enums import STATEMENTS, SignatureMeaning
from reports.pictures import MOST_PICTURES

REASON_LIMIT = 1000


class PicturesForm(forms.Form):
    """Which cells are printed; none given means that the laboratory's rule chooses."""

    cells = forms.TypedMultipleChoiceField(required=False, coerce=uuid.UUID, empty_value=[])
    chosen = forms.BooleanField(required=False)

    def __init__(self, *args: Any, cell_ids: list[uuid.UUID], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cells"].choices = [(str(pk), str(pk)) for pk in cell_ids]  # type: ignore[attr-defined]

    def clean_cells(self) -> list[uuid.UUID]:
        """Refuse more pictures than a report can hold."""
        cells: list[uuid.UUID] = self.cleaned_data["cells"]
        if len(cells) > MOST_PICTURES:
            raise forms.ValidationError(f"Choose at most {MOST_PICTURES} cell images.")
        return cells

    def choice(self) -> list[uuid.UUID] | None:
        """Return the cells the signer chose, or None if the signer left it to the rule."""
        return self.cleaned_data["cells"] if self.cleaned_data["chosen"] else None


class SignatureForm(forms.Form):
    """The three parts of a signature: what is signed, what it means, who signs."""

    draft_sha256 = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    meaning = forms.ChoiceField(
        label="Meaning of your signature",
        choices=[(item.value, f"{item.label}: {STATEMENTS[item]}") for item in SignatureMeaning],
        widget=forms.RadioSelect,
        initial=SignatureMeaning.APPROVAL.value,
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_meaning(self) -> SignatureMeaning:
        return SignatureMeaning(self.cleaned_data["meaning"])


class AmendForm(forms.Form):
    """Why a signed report has to be corrected; printed on the corrected report."""

    reason = forms.CharField(
        label="Reason for the correction",
        max_length=REASON_LIMIT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands on the corrected report, word for word.",
    )
