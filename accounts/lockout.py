"""Failed sign-ins and the lock-out they lead to, kept by axes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone


def attempted_email(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the e-mail being tried, as accounts store it."""
    given = (credentials or {}).get("email") or (credentials or {}).get("username")
    return str(given or request.POST.get("login", "")).strip().lower()[:254]


def unnamed_client(username: str, address: str, *args: Any) -> str:
    """Return what logs may say about a client: its address, and nothing of the person."""
    return f"client at {address}"


@dataclass(frozen=True, slots=True)
class LockOut:
    """An e-mail that is locked out from one address, whether an account has it or not."""

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
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    locked = (
        AccessAttempt.objects.values("username", "ip_address")
        .annotate(failures=Sum("failures_since_start"), latest=Max("attempt_time"))
        .filter(failures__gte=settings.AXES_FAILURE_LIMIT, latest__gte=since)
        .order_by("-latest", "username")
    )
    return [
        LockOut(row["username"], row["ip_address"] or "", row["failures"], row["latest"])
        for row in locked
        if row["username"]
    ]


def locked_emails() -> set[str]:
    """Return the e-mails that are locked out from at least one address now."""
    return {one.email for one in lock_outs()}


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
