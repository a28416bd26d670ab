"""Forms of the administration pages and of joining."""

from datetime import date, datetime, time, timedelta
from typing import Any, cast

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms
from django.contrib.auth import password_validation
from django.utils import timezone

from accounts.emergency import is_closed_to
from accounts.models import User
from accounts.roles import ROLE_SUMMARIES
from accounts.second_factor_forms import CodeOnce
from accounts.services import ELECTRONIC_SIGNATURE_STATEMENT
from accounts.sign_in_policy_passwords import LongEnough

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

    def clean_email(self) -> str:
        """Find who is to get one: nobody whose password would open nothing."""
        email: str = super().clean_email()
        self.users: list[User] = [user for user in self.users if not is_closed_to(user)]
        return email


class NewPasswordForm(PlainFields, account.ResetPasswordKeyForm):
    """A new password, twice."""


class CodeForm(CodeOnce, PlainFields, mfa.AuthenticateForm):
    """A code of the second factor, after the password."""


class CodeConfirmationForm(CodeOnce, PlainFields, mfa.ReauthenticateForm):
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


class DutyForm(ReasonForm):
    """A duty to give or to withhold, until when, and why."""

    duty = forms.ChoiceField()
    until = forms.DateField(
        required=False,
        label="Last day",
        help_text="Empty: until somebody ends it.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    field_order = ("duty", "until", "reason")

    def __init__(self, *args: Any, duties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["duty"]).choices = duties

    @property
    def expires_at(self) -> datetime | None:
        """The end of the last day, in the laboratory's time."""
        last: date | None = self.cleaned_data["until"]
        if last is None:
            return None
        return timezone.make_aware(datetime.combine(last + timedelta(days=1), time.min))


class DayForm(forms.Form):
    """A day by which something is due."""

    day = forms.DateField(label="Due on", widget=forms.DateInput(attrs={"type": "date"}))
    review_id = forms.UUIDField(required=False, widget=forms.HiddenInput)


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
    )
    password_again = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    agreed = forms.BooleanField(label=ELECTRONIC_SIGNATURE_STATEMENT)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].help_text = LongEnough().get_help_text()

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
