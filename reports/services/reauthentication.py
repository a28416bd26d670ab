"""Proof that the signer is the signer, and a second factor where wanted.

Who signed in with a password gives it again; who came from the identity provider signs in there
anew, for this very form.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from accounts.authentication import PasswordCheck, verify_password
from accounts.second_factor_signing import (
    Factor,
    FactorRefused,
    confirm_factor,
    signing_needs_factor,
)
from accounts.single_sign_on import confirming
from accounts.single_sign_on.session import came_by_provider
from reports.enums import ReauthenticationMethod
from reports.exceptions import (
    LockedOut,
    ReauthenticationUnavailable,
    WrongPassword,
    WrongSecondFactor,
)

if TYPE_CHECKING:
    from accounts.models import User

VALID_FOR = timedelta(minutes=5)
METHODS = {
    None: ReauthenticationMethod.PASSWORD,
    Factor.CODE: ReauthenticationMethod.PASSWORD_CODE,
    Factor.KEY: ReauthenticationMethod.PASSWORD_KEY,
    Factor.RECOVERY: ReauthenticationMethod.PASSWORD_RECOVERY,
}
METHODS_OF_PROVIDER = {
    None: ReauthenticationMethod.SSO,
    Factor.CODE: ReauthenticationMethod.SSO_CODE,
    Factor.KEY: ReauthenticationMethod.SSO_KEY,
    Factor.RECOVERY: ReauthenticationMethod.SSO_RECOVERY,
}


@dataclass(frozen=True, slots=True)
class Reauthentication:
    """Who proved to be who, how and when; made by `reauthenticate` alone."""

    user_id: int
    method: ReauthenticationMethod
    at: datetime

    def is_valid_for(self, user: "User") -> bool:
        """Say whether it is this person's and fresh enough to sign with."""
        return self.user_id == user.pk and timezone.now() - self.at <= VALID_FOR


def reauthenticate(request: HttpRequest, user: "User", password: str) -> Reauthentication:
    """Check who it is, then the second factor if the laboratory wants one under signatures.

    Wrong ones are audited and counted. Who came from the identity provider is led there first,
    by a response that leaves the view at once, and brings the proof back.

    Raises:
        WrongPassword, LockedOut: it isn't the person's password, or too often it wasn't.
        WrongSecondFactor: it is missing or wrong.
        ReauthenticationUnavailable: it could not be checked, which is nobody's fault here.
    """
    if came_by_provider(request):
        return _confirmed_by_provider(request, user)
    try:
        answer = verify_password(request, user, password)
    except (DatabaseError, OSError) as error:
        raise ReauthenticationUnavailable(
            "Your password could not be checked because of a fault in the system. "
            "Nothing was signed; please try again in a moment."
        ) from error
    if answer == PasswordCheck.LOCKED:
        raise LockedOut("Too many wrong passwords: your account is locked. Nothing was signed.")
    if answer != PasswordCheck.CONFIRMED:
        raise WrongPassword("The password is not right. Nothing was signed.")
    return Reauthentication(user.pk, METHODS[_second_factor(request, user)], timezone.now())


def _confirmed_by_provider(request: HttpRequest, user: "User") -> Reauthentication:
    """Use up the confirmation for this form; a second factor given there needs no other."""
    found = confirming.confirmation_of(request)
    if found.has_factor:
        method = ReauthenticationMethod.SSO_FACTOR
    else:
        method = METHODS_OF_PROVIDER[_second_factor(request, user)]
    confirming.use_up(request)
    return Reauthentication(user.pk, method, datetime.fromtimestamp(found.at, UTC))


def _second_factor(request: HttpRequest, user: "User") -> Factor | None:
    """Return the second factor given for this signature; none where none is wanted."""
    if not signing_needs_factor():
        return None
    try:
        return confirm_factor(request, user)
    except FactorRefused as refusal:
        raise WrongSecondFactor(f"{refusal} Nothing was signed.") from refusal
