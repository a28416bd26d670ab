"""Forms of the administration pages and of joining."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms
from django.contrib.auth import password_validation

from accounts.models import User
from accounts.roles import ROLE_SUMMARIES
from accounts.services import ELECTRONIC_SIGNATURE_STATEMENT

_ROLES = [(role.value, f"{role.label}: {summary}") for role, summary in ROLE_SUMMARIES.items()]


class PlainFields(forms.Form):
    """Leaves out the placeholders and hints of allauth that repeat a label."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        if "password" in self.fields:
            self.fields["password"].help_text = ""


class SignInForm(PlainFields, account.LoginForm):
    """E-mail and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail"
        self.fields["login"].widget.attrs["autofocus"] = True


class ReauthenticationForm(PlainFields, account.ReauthenticateForm):
    """The password again."""


class PasswordChangeForm(PlainFields, account.ChangePasswordForm):
    """The old password, and a new one twice."""


class PasswordResetForm(PlainFields, account.ResetPasswordForm):
    """Where to send the link."""


class NewPasswordForm(PlainFields, account.ResetPasswordKeyForm):
    """A new password, twice."""


class CodeForm(PlainFields, mfa.AuthenticateForm):
    """A code of the second factor, after the password."""


class CodeConfirmationForm(PlainFields, mfa.ReauthenticateForm):
    """A code of the second factor, to confirm identity."""


class FactorForm(PlainFields, totp.ActivateTOTPForm):
    """The first code of a new second factor."""


class InvitationForm(forms.ModelForm):
    """Whom to invite, and as what."""

    role = forms.ChoiceField(
        choices=_ROLES, widget=forms.RadioSelect, help_text="Each person has exactly one role."
    )

    class Meta:
        model = User
        fields = ("email", "full_name", "title")

    def validate_unique(self) -> None:
        """Leave the answer about a known e-mail to the service, which knows the account's state."""


class DetailsForm(forms.ModelForm):
    """A person's printed name."""

    class Meta:
        model = User
        fields = ("full_name", "title")


class ConfirmationForm(forms.Form):
    """Nothing to fill in: the button is the answer."""


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit trail.",
    )


class RoleForm(ReasonForm):
    """Another role, and why."""

    role = forms.ChoiceField(choices=_ROLES, widget=forms.RadioSelect)
    field_order = ("role", "reason")


class JoinForm(forms.Form):
    """The owner of a new account sets its name and password."""

    full_name = forms.CharField(max_length=150, label="Full name, as printed on reports")
    title = forms.CharField(
        max_length=60, required=False, label="Credentials", help_text="Such as MD; may be empty."
    )
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters; a few unrelated words are best.",
    )
    password_again = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    agreed = forms.BooleanField(label=ELECTRONIC_SIGNATURE_STATEMENT)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Apply the site's rules for passwords."""
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        """Refuse two different passwords."""
        cleaned = super().clean() or {}
        password, again = cleaned.get("password"), cleaned.get("password_again")
        if password and again and password != again:
            self.add_error("password_again", "The two passwords are not the same.")
        return cleaned
