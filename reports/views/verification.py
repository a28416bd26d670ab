"""The public pages that check a report: no log-in, no patient, a limit on asking."""

import hashlib
from collections.abc import Callable
from functools import wraps

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from reports import selectors
from reports.exceptions import ReportTampered
from reports.models import Report
from reports.services.reading import read_pdf
from reports.throttle import is_too_often
from reports.verification import read_code, spell

View = Callable[..., HttpResponse]
TOO_OFTEN, NOT_FOUND, NOT_AS_SIGNED = 429, 404, 409
MOST_BYTES = 20 * 1024 * 1024


def _throttled(view: View) -> View:
    @wraps(view)
    def limited(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if is_too_often(request, what="verify"):
            return _ask(request, "Too many requests. Wait a minute, then try again.", TOO_OFTEN)
        return view(request, *args, **kwargs)

    return limited


@never_cache
@require_GET
@_throttled
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a code; lead to the report that it stands for."""
    typed = request.GET.get("code", "")
    if not typed.strip():
        return _ask(request)
    code = read_code(typed)
    if code is None:
        return _ask(
            request, "A code has 16 letters and digits, such as 7K2M-9QXD-04TV-H8WB.", NOT_FOUND
        )
    return redirect("verification:report", spell(code))


@never_cache
@require_http_methods(["GET", "POST"])
@_throttled
def report(request: HttpRequest, code: str) -> HttpResponse:
    """Say what a code stands for; hold a file against what was issued, if one is sent."""
    found = selectors.find_verified(read_code(code) or "")
    if found is None:
        return _ask(request, "No report has this code. Compare it with the printed one.", NOT_FOUND)
    try:
        context = _facts(found)
    except ReportTampered:
        return render(request, "reports/verify_tampered.html", status=NOT_AS_SIGNED)
    if request.method == "POST":
        context["answer"] = _compare(request.FILES.get("pdf"), found)
    return render(request, "reports/verify_report.html", context)


def _ask(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    return render(request, "reports/verify.html", {"problem": problem}, status=status)


def _facts(found: Report) -> dict[str, object]:
    """Return what the page says, once the stored report is as it was signed."""
    read_pdf(found, actor=User.system())
    versions = list(selectors.versions_of(found.case))
    return {
        "report": found,
        "laboratory": found.says.laboratory,
        "current": versions[0],
        "is_current": versions[0].pk == found.pk,
        "spelled": spell(found.verification_code),
        "others": [version for version in versions if version.pk != found.pk],
    }


def _compare(file: UploadedFile | None, found: Report) -> dict[str, object]:
    """Say which issued version a file is, byte for byte; the file is not kept."""
    if file is None:
        return {"is_missing": True}
    if (file.size or 0) > MOST_BYTES:
        return {"is_too_big": True}
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    match = found.case.reports.filter(pdf_sha256=digest.hexdigest()).first()
    return {"sha256": digest.hexdigest(), "version": match, "is_this": match == found}
