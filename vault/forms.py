"""What a person asks of the vault."""

from django import forms

from vault.enums import JobKind


class StartForm(forms.Form):
    """The kind of work, and the backup that is to be verified."""

    kind = forms.ChoiceField(choices=JobKind.choices)
    backup = forms.CharField(max_length=60, required=False)

    def clean(self) -> dict[str, str]:
        """Only a verification is of one backup."""
        cleaned: dict[str, str] = self.cleaned_data
        if cleaned.get("kind") != JobKind.PROVING:
            cleaned["backup"] = ""
        return cleaned
