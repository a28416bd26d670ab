"""The specimen label: accession number as Code 128, printed at its true size."""

import uuid

from barcode.codex import Code128
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.audit import record_read
from classifier.selectors import intake
from classifier.views.access import MemberRequest, duty_required

QUIET_MODULES = 10
"""Blank modules on either side (ISO/IEC 15417)."""


@duty_required("register_patient")
@require_GET
def label(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the label as a page of its own, 50 by 25 mm, ready for a label printer."""
    case = intake.get_case(request.user, pk)
    record_read(actor=request.user, patient=case.patient)
    return render(request, "classifier/case_label.html", {"case": case})


@duty_required("register_patient")
@require_GET
def barcode(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the accession number as a Code 128 symbol in SVG."""
    case = intake.get_case(request.user, pk)
    response = HttpResponse(code_128_svg(case.accession_number), content_type="image/svg+xml")
    response["Cache-Control"] = "private, max-age=3600"
    return response


def code_128_svg(text: str) -> str:
    """Draw ``text`` as bars one module wide, with quiet zones; it scales to any size."""
    modules = Code128(text).build()[0]
    width = len(modules) + 2 * QUIET_MODULES
    bars = "".join(
        f'<rect x="{start + QUIET_MODULES}" width="{length}" height="1"/>'
        for start, length in _bars(modules)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 1" '
        f'preserveAspectRatio="none" shape-rendering="crispEdges">{bars}</svg>'
    )


def _bars(modules: str) -> list[tuple[int, int]]:
    """Return start and length of each run of dark modules."""
    bars, start = [], 0
    for run in modules.replace("10", "1|0").replace("01", "0|1").split("|"):
        if run[0] == "1":
            bars.append((start, len(run)))
        start += len(run)
    return bars
