"""Forms of joining from the identity provider."""

from django import forms

from accounts.single_sign_on.services import SIGNATURE_STATEMENT


class ProviderJoinForm(forms.Form):
    """The owner of a new account says what is printed, and takes on what is signed."""

    full_name = forms.CharField(max_length=150, label="Full name, as printed on reports")
    title = forms.CharField(
        max_length=60, required=False, label="Credentials", help_text="Such as MD; may be empty."
    )
    agreed = forms.BooleanField(label=SIGNATURE_STATEMENT)
