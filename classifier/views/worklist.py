"""The worklist: the first page after log-in."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from classifier.selectors import worklists
from classifier.selectors.holds import open_hold
from classifier.views.access import MemberRequest

PAGE_SIZE = 25


@login_required
@require_GET
def worklist(request: MemberRequest) -> HttpResponse:
    """List the cases that wait for this person; a fragment request refreshes the list alone."""
    if not request.user.has_perm("accounts.view_worklist"):
        if request.user.has_perm("accounts.give_opinion"):
            return redirect("consultation:consultations")
        return render(request, "classifier/worklist_closed.html")
    tabs = worklists.count_tabs(request.user)
    chosen = _chosen(request, tabs)
    cases = worklists.list_cases(request.user, chosen.tab.key)
    page = Paginator(cases, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "tabs": tabs,
        "chosen": chosen.tab,
        "page": page,
        "rows": worklists.describe_cases(request.user, list(page.object_list)),
        "hold": open_hold(),
        "query": urlencode({"view": chosen.tab.key}),
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "partials/_worklist.html" if is_fragment else "worklist.html"
    return render(request, f"classifier/{template}", context)


def _chosen(request: MemberRequest, tabs: list[worklists.CountedTab]) -> worklists.CountedTab:
    wanted = request.GET.get("view")
    return next((counted for counted in tabs if counted.tab.key == wanted), tabs[0])
