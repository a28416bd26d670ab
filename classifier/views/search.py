"""The search box in the top bar: a scanned label opens its case at once."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from classifier.models import Case
from classifier.selectors import intake
from classifier.selectors.patients import find_patients
from classifier.views.access import MemberRequest, duty_required

SHOWN = 20


@duty_required("view_patient")
@require_GET
def search(request: MemberRequest) -> HttpResponse:
    """Open the case whose accession number was given, else list matching cases and patients."""
    text = request.GET.get("q", "").strip()
    if case := intake.find_by_accession(request.user, text):
        return redirect(case)
    context: dict[str, object] = {"text": text}
    if text:
        cases = Case.objects.visible_to(request.user).matching(text).select_related("patient")
        context |= {
            "cases": cases[:SHOWN],
            "patients": find_patients(request.user, text)[:SHOWN],
        }
    return render(request, "classifier/search.html", context)
