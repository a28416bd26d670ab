"""How allauth behaves here: no sign-up, failures counted by axes, secrets encrypted."""

import base64
import hashlib
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.encoding import force_bytes

from accounts import emergency
from accounts.authentication import PasswordCheck, verify_password
from accounts.context import client_address_of
from accounts.models import User
from accounts.second_factor import REAL_FACTORS
from accounts.second_factor_signing import signing_needs_factor
from accounts.single_sign_on import session


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in to accounts that administrators made."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up: accounts come by invitation."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: object) -> None:
        """Leave counting to axes, whose locks administrators can see and lift."""

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Let in by a way of the site's own only whom the laboratory's rules let in so."""
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is not None or session.is_arriving(request):
            return response
        session.forget(request)
        if emergency.is_closed_to(user):
            messages.error(request, f"Sign in with {settings.OIDC_NAME}: this way is closed here.")
            return redirect(settings.LOGIN_URL)
        return None

    def get_login_stages(self) -> list[str]:
        """Ask for no second factor here of those who gave one at the provider just now."""
        stages: list[str] = super().get_login_stages()
        if session.is_arriving(context.request, with_factor=True):
            return [stage for stage in stages if not stage.startswith("allauth.mfa.")]
        return stages

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Lead who came from the provider past its own sign-out."""
        if session.came_by_provider(request):
            return reverse("sso_signed_out")
        address: str = super().get_logout_redirect_url(request)
        return address

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Ask whoever came from the provider to confirm there, even who has nothing else here."""
        request = context.request
        if not session.came_by_provider(request):
            required: bool = super().is_reauthentication_required(app=app)
            return required
        since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        records = get_authentication_records(request, request.user)
        if not any(one.get("reauthenticated") and one["at"] >= since for one in records):
            raise ReauthenticationRequired
        return False

    def reauthenticate(self, user: User, password: str) -> bool:
        """Confirm identity as signing a report does: same count, same audit."""
        return verify_password(context.request, user, password) == PasswordCheck.CONFIRMED

    def get_client_ip(self, request: HttpRequest) -> str:
        """Agree with the audit trail about who is asking."""
        return client_address_of(request) or "0.0.0.0"  # noqa: S104

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Offer what confirms identity: where signing needs a second factor, nothing less."""
        if session.came_by_provider(context.request):
            return [
                {
                    "id": "sso",
                    "description": f"Use {settings.OIDC_NAME}",
                    "url": reverse("sso_confirm"),
                }
            ]
        methods = super().get_reauthentication_methods(user)
        factors = [one for one in methods if one["id"] != "reauthenticate"]
        if factors and signing_needs_factor():
            return factors
        return methods

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Send those whose account is closed back to the door, whatever they came with."""
        messages.error(request, "This account can't be opened. Ask your administrator.")
        return redirect(settings.LOGIN_URL)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Return to work after a change of password."""
        return settings.LOGIN_REDIRECT_URL


class MFAAdapter(DefaultMFAAdapter):
    """Second factors, whose secrets are encrypted with the site's key."""

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Keep the second factor of an emergency account that the laboratory can't do without."""
        others = Authenticator.objects.filter(
            user=authenticator.user_id, type__in=REAL_FACTORS
        ).exclude(pk=authenticator.pk)
        return others.exists() or not emergency.is_last(authenticator.user)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002
        """Propose a name for a security key: keys are numbered."""
        return f"Security key {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Tie keys to the host they were set up at, under the product's name."""
        return {**super().get_public_key_credential_rp_entity(), "name": settings.MFA_TOTP_ISSUER}

    def encrypt(self, text: str) -> str:
        """Encrypt a secret with the current key."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a secret written with the current or a retired key."""
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> MultiFernet:
    secrets = [force_bytes(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    keys = [hashlib.sha256(b"accounts.mfa:" + secret).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
