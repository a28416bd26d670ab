"""Pages on which the audit trail is read, exported and verified."""

from dataclasses import replace

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import audit, chain, policies, selectors, trail_files
from accounts.anchoring import checking
from accounts.filters import AuditFilter
from accounts.views.access import allowed_to, signed_in

_PER_PAGE = 50


@require_safe
@never_cache
@allowed_to(policies.can_view_audit)
def audit_list(request: HttpRequest) -> HttpResponse:
    """Show the trail, filtered; reading it is recorded in it."""
    trail = AuditFilter(request.GET, queryset=selectors.list_audit_events())
    page = Paginator(trail.qs, _PER_PAGE).get_page(request.GET.get("page"))
    entries = [selectors.describe(event) for event in page]
    sealed, head = chain.current_head()
    with transaction.atomic():
        after = {**trail.description(), "page": page.number}
        audit.record(actor=signed_in(request), action="audit.viewed", target=None, after=after)
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "filter": trail,
        "page": page,
        "entries": entries,
        "sealed": sealed,
        "head": head,
        "query": query.urlencode(),
    }
    return render(request, "accounts/audit.html", context)


@require_safe
@never_cache
@allowed_to(policies.can_view_audit)
def audit_export(request: HttpRequest) -> StreamingHttpResponse:
    """Send the filtered trail as CSV or JSON lines; the export is recorded first."""
    trail = AuditFilter(request.GET, queryset=selectors.list_audit_events())
    with transaction.atomic():
        after = {**trail.description(), "events": trail.qs.count()}
        audit.record(actor=signed_in(request), action="audit.exported", target=None, after=after)
    found = trail.qs.iterator(chunk_size=2000)
    is_json = request.GET.get("format") == "jsonl"
    if is_json:
        lines, kind = trail_files.json_lines(found), "application/x-ndjson"
    else:
        rows = trail_files.event_rows(found)
        lines, kind = trail_files.csv_lines(rows, trail_files.COLUMNS), "text/csv"
    name = f"audit-trail-{timezone.now():%Y%m%dT%H%M%SZ}.{'jsonl' if is_json else 'csv'}"
    return StreamingHttpResponse(
        lines,
        content_type=f"{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@allowed_to(policies.can_view_audit)
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Recompute the whole chain, against the anchors and a head noted earlier if one is given."""
    expected = request.POST.get("expected_head", "").strip().lower() or None
    verdict = chain.verify_chain(expected_head=expected)
    verdict = replace(verdict, findings=(*verdict.findings, *checking.findings()))
    with transaction.atomic():
        audit.record(
            actor=signed_in(request),
            action="audit.verified",
            target=None,
            after={
                "events": verdict.count,
                "head": verdict.head,
                "findings": len(verdict.findings),
            },
        )
    context = {"verdict": verdict, "expected_head": expected}
    return render(request, "accounts/audit_verdict.html", context)
