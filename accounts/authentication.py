"""Confirming, inside a session, that the person is still who signed in."""

from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import TextChoices
from django.http import HttpRequest

from accounts import lockout
from accounts.context import client_address_of
from accounts.models import User


class PasswordCheck(TextChoices):
    """The answer to a password given again."""

    CONFIRMED = "confirmed"
    WRONG = "wrong"
    LOCKED = "locked"


def verify_password(request: HttpRequest, user: User, password: str) -> PasswordCheck:
    """Check the password of somebody signed in; wrong ones count towards the lock-out.

    Failures are audited and must stay, so this refuses to run inside a transaction: call it
    before the service that needs it, not within.
    """
    probe = _probe(request, user)
    with transaction.atomic(durable=True):
        confirmed = authenticate(probe, email=user.email, password=password)
        if confirmed is not None and confirmed.pk == user.pk:
            lockout.forget_failures(user.email, client_address_of(request))
            return PasswordCheck.CONFIRMED
    if getattr(probe, "axes_locked_out", False):
        return PasswordCheck.LOCKED
    return PasswordCheck.WRONG


def is_reauthentication(request: HttpRequest | None) -> bool:
    """Tell a password given again from a sign-in."""
    return getattr(request, "is_reauthentication", False)


def _probe(request: HttpRequest, user: User) -> HttpRequest:
    """Return a request that carries the client but nothing of the form.

    Axes keeps what was posted with a failure, and turns the response of the request it is
    given into its own page; neither may happen to a form about a patient.
    """
    probe = HttpRequest()
    probe.META = request.META
    probe.path = probe.path_info = request.path
    probe.user = user
    probe.is_reauthentication = True  # type: ignore[attr-defined]
    return probe
