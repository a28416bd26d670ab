"""Proof that the signer has given the password again, minutes ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from accounts.authentication import PasswordCheck, verify_password
from reports.enums import ReauthenticationMethod
from reports.exceptions import LockedOut, ReauthenticationUnavailable, WrongPassword

if TYPE_CHECKING:
    from accounts.models import User

VALID_FOR = timedelta(minutes=5)


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
    """Check the password; a wrong one is audited and counts towards the lock-out.

    Raises:
        WrongPassword, LockedOut: it isn't the person's password, or too often it wasn't.
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
    return Reauthentication(user.pk, ReauthenticationMethod.PASSWORD, timezone.now())
