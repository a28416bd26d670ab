"""One-time links that let a person set the first password, or a forgotten one."""

from allauth.account import app_settings as allauth_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import salted_hmac

from accounts.exceptions import InvitationInvalid
from accounts.models import User

_signer = signing.TimestampSigner(salt="accounts.invitation")


def make_invitation_link(user: User) -> str:
    """Return the address at which an invited person joins; valid once, until it expires.

    The link holds a fingerprint of the unusable password, so setting any password, or
    renewing the invitation, voids it.
    """
    token = _signer.sign_object({"user": user.pk, "state": _fingerprint(user)})
    return settings.SITE_URL + reverse("accounts:join", args=[token])


def read_invitation(token: str) -> User:
    """Return the invited account a token belongs to, or refuse the token."""
    try:
        content = _signer.unsign_object(token, max_age=settings.INVITATION_TIMEOUT)
        user = User.objects.get(pk=content["user"], joined_at=None, deactivated_at=None)
    except signing.SignatureExpired as error:
        raise InvitationInvalid("This invitation has expired; ask for a new one.") from error
    except (signing.BadSignature, User.DoesNotExist, KeyError, TypeError) as error:
        raise InvitationInvalid("This invitation is not valid, or has been used.") from error
    if content["state"] != _fingerprint(user):
        raise InvitationInvalid("This invitation has been replaced by a newer one.")
    return user


def make_password_link(user: User) -> str:
    """Return the address at which a person sets a new password; valid once, for a day."""
    key = allauth_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])
    return settings.SITE_URL + path


def _fingerprint(user: User) -> str:
    return salted_hmac("accounts.invitation", user.password, algorithm="sha256").hexdigest()[:32]
