"""Codes of a second factor that were given already: none opens anything twice."""

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import validate_totp_code
from allauth.mfa.utils import decrypt
from django.core.cache import cache
from django.db import transaction

from accounts import audit, dispatch
from accounts.models import User


def remember(authenticator: Authenticator, code: str) -> None:
    """Keep an app's code as used for as long as it would be right.

    With a step of tolerance on either side that is three steps; allauth keeps it for one.
    Recovery codes are crossed out for ever, by allauth.
    """
    if authenticator.type == Authenticator.Type.TOTP:
        key = authenticator.wrap()._get_used_cache_key(code)
        steps = 2 * app_settings.TOTP_TOLERANCE + 1
        cache.set(key, "y", timeout=steps * app_settings.TOTP_PERIOD)


def tell_if_used(user: User, code: str) -> None:
    """Record that a right code was refused because it had been given, and tell its owner."""
    for one in Authenticator.objects.filter(user=user):
        if _would_be_right(one, code):
            with transaction.atomic():
                after = {"factor": one.type}
                audit.record(
                    actor=User.system(), action="user.code_reused", target=user, after=after
                )
                dispatch.mail_credentials_changed(user.pk, "user.code_reused")


def _would_be_right(factor: Authenticator, code: str) -> bool:
    if factor.type == Authenticator.Type.TOTP:
        return validate_totp_code(decrypt(factor.data["secret"]), code)
    if factor.type == Authenticator.Type.RECOVERY_CODES:
        codes = factor.wrap().generate_codes()
        return any(compare_user_code(actual=code, expected=one) for one in codes)
    return False
