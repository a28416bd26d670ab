"""The search box: a scanned label opens its case at once.

What is searched for travels in the body: names and numbers have no place in addresses and logs.
"""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from classifier.models import Case
from classifier.selectors import worklists
from classifier.selectors.patients import find_patients
from classifier.services.restrictions import match_number
from classifier.views.access import MemberRequest, duty_required

SHOWN = 20


@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def search(request: MemberRequest) -> HttpResponse:
    """Open the case whose accession number was given, else list matching cases and patients."""
    text = request.POST.get("q", "").strip()
    scan = worklists.resolve_scan(request.user, text)
    if scan.case and scan.is_restricted:
        return redirect("classifier:case_restricted", scan.case.pk)
    if scan.case:
        return redirect(_page_of(request, scan.case))
    context: dict[str, object] = {"text": text, "problem": scan.problem}
    if text and not scan.problem:
        cases = Case.objects.visible_to(request.user).matching(text).select_related("patient")
        context |= {
            "cases": cases[:SHOWN],
            "patients": find_patients(request.user, text)[:SHOWN],
            "closed": match_number(actor=request.user, text=text),
        }
    return render(request, "classifier/search.html", context)


def _page_of(request: MemberRequest, case: Case) -> str:
    """Reviewers are led to the cells, everybody else to the case."""
    is_for_review = case.status in worklists.TO_REVIEW
    if is_for_review and request.user.has_perm("accounts.review_case"):
        return reverse("classifier:review", args=[case.pk])
    return case.get_absolute_url()
