"""Forms of codes, security keys and passkeys; what fails is audited, whatever it was."""

from typing import Any

from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.base.forms import ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal.auth import extract_user_from_response
from django.core.exceptions import ValidationError

from accounts import second_factor, used_codes

NOT_ACCEPTED = "This key was not accepted. Use the one that you set up here, or a code."
NAME_LENGTH = 60


class CodeOnce:
    """Takes each code once, and tells its owner if one is given again."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        """Check the code; what was given before is refused for as long as it would be right."""
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError as error:
            if error.code == "incorrect_code":
                used_codes.tell_if_used(self.user, self.cleaned_data["code"])
            raise
        used_codes.remember(self.authenticator, code)  # type: ignore[attr-defined]
        return code


class SigningCodeForm(CodeOnce, ReauthenticateForm):
    """A code beside a signature."""


class AuditedKey:
    """Tells the audit trail of a key that was refused."""

    reauthenticated = False
    user: Any
    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Authenticator:
        """Check what the key signed."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except (ValidationError, ValueError, TypeError, KeyError, AttributeError) as error:
            self._tell()
            if isinstance(error, ValidationError) and error.code != "incorrect_code":
                raise
            raise ValidationError(NOT_ACCEPTED, code="incorrect_code") from error

    def _tell(self) -> None:
        user = self.user or self._claimed()
        factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).first()
        if factor is not None:
            signals.authentication_failed.send(
                sender=Authenticator,
                request=context.request,
                user=user,
                authenticator=factor,
                reauthentication=self.reauthenticated,
            )

    def _claimed(self) -> Any:
        """Return whose key it says it is; nothing has proved it."""
        try:
            return extract_user_from_response(self.cleaned_data.get("credential") or {})
        except (ValidationError, AttributeError):
            return None


class KeyForm(AuditedKey, webauthn.AuthenticateWebAuthnForm):
    """A key, after the password."""


class KeyConfirmationForm(AuditedKey, webauthn.ReauthenticateWebAuthnForm):
    """A key, to confirm identity."""


class PasskeyForm(AuditedKey, webauthn.LoginWebAuthnForm):
    """A passkey in place of password and second step: it knows who holds it."""


class NewKeyForm(webauthn.AddWebAuthnForm):
    """A new key, and what its owner calls it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].max_length = NAME_LENGTH
        self.fields["name"].label = "What do you call it?"
        self.fields["name"].widget.attrs["maxlength"] = NAME_LENGTH
        self.fields["name"].help_text = "Such as “blue key on my ring” or “laboratory laptop”."
        self.fields["passwordless"].label = "Sign in with this key alone, without the password"
        self.fields[
            "passwordless"
        ].help_text = (
            "Makes it a passkey. The key then asks for its own PIN, a fingerprint or a face."
        )

    def clean_name(self) -> str:
        """Keep it short enough for a list."""
        return super().clean_name().strip()[:NAME_LENGTH]

    def clean(self) -> dict[str, Any]:
        """Check what the key made."""
        try:
            return super().clean()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValidationError("This key could not be set up. Please try again.") from error


class KeyNameForm(webauthn.EditWebAuthnForm):
    """Another name for a key."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].max_length = NAME_LENGTH
        self.fields["name"].widget.attrs["maxlength"] = NAME_LENGTH

    def save(self) -> Authenticator:
        """Rename it, which is recorded."""
        return second_factor.rename_key(self.instance, name=self.cleaned_data["name"])
