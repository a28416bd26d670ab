"""Failed sign-ins and the lock-out they lead to, kept by axes."""

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


def locked_emails() -> set[str]:
    """Return the e-mails that are locked out from at least one address now."""
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    locked = (
        AccessAttempt.objects.values("username", "ip_address")
        .annotate(failures=Sum("failures_since_start"), latest=Max("attempt_time"))
        .filter(failures__gte=settings.AXES_FAILURE_LIMIT, latest__gte=since)
    )
    return {row["username"] for row in locked if row["username"]}


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
