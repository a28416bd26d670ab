"""The page "Copies and keys": what there is, how it stands, and work that a worker does."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.views.access import allowed_to, signed_in
from vault import policies
from vault.enums import JobKind
from vault.exceptions import WorkRefused
from vault.forms import StartForm
from vault.selectors import is_backup_late, last_check, list_backups, newest_jobs, see_keys
from vault.services.checking import MEANINGS, UNSOUND
from vault.services.jobs import request_job


@require_safe
@never_cache
@allowed_to(policies.can_keep_copies)
def index(request: HttpRequest) -> HttpResponse:
    """Show copies, keys and the last check; a fragment request refreshes what may have changed."""
    fragment = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "partials/_copies.html" if fragment else "copies.html"
    return render(request, f"vault/{template}", _context())


@require_POST
@allowed_to(policies.can_keep_copies)
def start(request: HttpRequest) -> HttpResponse:
    """Ask for a backup, a verification, a check or a rotation."""
    form = StartForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was started: this page knows no such work.")
        return redirect("vault:copies")
    kind = JobKind(form.cleaned_data["kind"])
    try:
        request_job(kind=kind, actor=signed_in(request), subject=form.cleaned_data["backup"])
    except WorkRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("vault:copies")


def _context() -> dict[str, Any]:
    jobs, backups, check = newest_jobs(), list_backups(), last_check()
    return {
        "backups": backups,
        "late_words": f"No new backup for more than {settings.BACKUP_LATE_HOURS} hours",
        "late": is_backup_late(),
        "folder": settings.BACKUP_FOLDER,
        "hour": settings.BACKUP_HOUR,
        "kept": settings.BACKUP_KEEP,
        "holds_keys": settings.BACKUP_PASSPHRASE_FILE is not None,
        "keys": see_keys(),
        "check": check,
        "findings": _findings((check.after or {}) if check else {}),
        "named": _named(jobs.get(JobKind.CHECK)),
        "jobs": jobs,
        "is_working": any(job.is_unfinished for job in jobs.values()),
    }


def _findings(counts: dict[str, Any]) -> list[tuple[str, int, str, bool]]:
    """What a check found: kind, number, meaning, and whether it is grave."""
    return [
        (kind, counts[kind], meaning, kind in UNSOUND)
        for kind, meaning in MEANINGS.items()
        if counts.get(kind)
    ]


def _named(job: Any) -> list[str]:
    named: dict[str, list[str]] = job.result.get("named", {}) if job else {}
    return [name for kind in UNSOUND for name in named.get(kind, [])]
