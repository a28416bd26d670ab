"""Failed sign-ins and the lock-out they lead to, kept by axes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import AuditEvent


def attempted_email(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the e-mail being tried, as accounts store it."""
    given = (credentials or {}).get("email") or (credentials or {}).get("username")
    return str(given or request.POST.get("login", "")).strip().lower()[:254]


def unnamed_client(username: str, address: str, *args: Any) -> str:
    """Return what logs may say about a client: its address, and nothing of the person."""
    return f"client at {address}"


@dataclass(frozen=True, slots=True)
class LockOut:
    """An e-mail that is locked out from one address, whether an account has it or not.

    Without an address: from every one it hasn't signed in from lately. Without an e-mail: all
    that haven't signed in from this address lately.
    """

    email: str
    address: str
    failures: int
    latest: datetime

    @property
    def until(self) -> datetime:
        """When it ends by itself."""
        return self.latest + settings.AXES_COOLOFF_TIME


def lock_outs() -> list[LockOut]:
    """Return what is locked out now, the newest first."""
    columns = ("username", "ip_address", "failures_since_start", "attempt_time")
    rows = list(_recent().exclude(username=None).exclude(username="").values_list(*columns))
    found = [
        *_beyond(settings.AXES_FAILURE_LIMIT, [((row[0], row[1] or ""), row) for row in rows]),
        *_beyond(settings.LOCKOUT_ACCOUNT_FAILURES, [((row[0], ""), row) for row in rows]),
        *_beyond(
            settings.LOCKOUT_ADDRESS_FAILURES, [(("", row[1]), row) for row in rows if row[1]]
        ),
    ]
    return sorted(found, key=lambda one: one.latest, reverse=True)


def _beyond(limit: int, keyed: Iterable[tuple[tuple[str, str], Any]]) -> Iterable[LockOut]:
    """Add up failures by e-mail and address, and yield those that reach a limit."""
    rows: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for key, row in keyed:
        rows[key].append(row)
    for (email, address), found in rows.items():
        failures = sum(row[2] for row in found)
        if failures >= limit:
            yield LockOut(email, address, failures, max(row[3] for row in found))


def _recent() -> QuerySet[AccessAttempt]:
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    return AccessAttempt.objects.filter(attempt_time__gte=since)


def widespread_failures(email: str, address: str | None) -> int:
    """Return how many failures lock an account, or an address, over and above the pair of them.

    0: nothing does. Where this person has signed in from this address lately, only the pair
    counts, so that nobody can be kept from their own desk by failures made elsewhere.
    """
    of_account = _failures(username=email) if email else 0
    of_address = _failures(ip_address=address)
    is_beyond = (
        of_account >= settings.LOCKOUT_ACCOUNT_FAILURES
        or of_address >= settings.LOCKOUT_ADDRESS_FAILURES
    )
    if not is_beyond or _is_known(email, address):
        return 0
    return max(of_account, of_address)


def _failures(**where: str | None) -> int:
    total = _recent().filter(**where).aggregate(total=Sum("failures_since_start"))["total"]
    return total or 0


def _is_known(email: str, address: str | None) -> bool:
    """Tell whether the owner of an e-mail has signed in from an address lately."""
    since = timezone.now() - settings.LOCKOUT_ADDRESS_IS_KNOWN_FOR
    return (
        AuditEvent.objects.since(since)
        .filter(actor__email=email, action="session.signed_in", client_address=address)
        .exists()
    )


def locked_emails() -> set[str]:
    """Return the e-mails that are locked out from at least one address now."""
    return {one.email for one in lock_outs() if one.email}


def forget_failures(email: str, address: str | None = None) -> int:
    """Forget failed sign-ins of an e-mail, from one address or all; return how many there were."""
    attempts = AccessAttempt.objects.filter(username=email)
    if address is not None:
        attempts = attempts.filter(ip_address=address)
    failures = attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0
    attempts.delete()
    return failures


def locked_out_page(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Say that the account is locked, for how long, and whom to ask."""
    minutes = round(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    context = {"minutes": minutes, "failures": settings.AXES_FAILURE_LIMIT}
    if request.accepts("text/html"):
        return render(request, "accounts/locked_out.html", context, status=429)
    return JsonResponse({"detail": f"Locked out for {minutes} minutes."}, status=429)
