"""Proof that the signer is the signer: the password again, and a second factor where wanted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
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
    """Check the password, then the second factor if the laboratory wants one under signatures.

    Wrong ones are audited and counted.

    Raises:
        WrongPassword, LockedOut: it isn't the person's password, or too often it wasn't.
        WrongSecondFactor: it is missing or wrong.
        ReauthenticationUnavailable: it could not be checked, which is nobody's fault here.
    """
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


def _second_factor(request: HttpRequest, user: "User") -> Factor | None:
    """Return the second factor given for this signature; none where none is wanted."""
    if not signing_needs_factor():
        return None
    try:
        return confirm_factor(request, user)
    except FactorRefused as refusal:
        raise WrongSecondFactor(f"{refusal} Nothing was signed.") from refusal
