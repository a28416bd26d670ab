"""Pages on which the audit trail is read, exported and verified."""

import csv
from collections.abc import Iterable, Iterator

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import audit, chain, policies, selectors
from accounts.filters import AuditFilter
from accounts.models import AuditEvent
from accounts.views.access import allowed_to, signed_in

_PER_PAGE = 50
_COLUMNS = (
    "seal",
    "at",
    "actor",
    "action",
    "target_type",
    "target_id",
    "target_label",
    "patient_id",
    "before",
    "after",
    "reason",
    "request_id",
    "client_address",
    "hash",
)


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
    """Send the filtered trail as CSV; the export is recorded first."""
    trail = AuditFilter(request.GET, queryset=selectors.list_audit_events())
    with transaction.atomic():
        after = {**trail.description(), "events": trail.qs.count()}
        audit.record(actor=signed_in(request), action="audit.exported", target=None, after=after)
    name = f"audit-trail-{timezone.now():%Y%m%dT%H%M%SZ}.csv"
    return StreamingHttpResponse(
        _csv_lines(trail.qs.iterator(chunk_size=2000)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@allowed_to(policies.can_view_audit)
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Recompute the whole chain, against a head noted earlier if one is given."""
    expected = request.POST.get("expected_head", "").strip().lower() or None
    verdict = chain.verify_chain(expected_head=expected)
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


class _Line:
    """A file for the CSV writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(events: Iterable[AuditEvent]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(_COLUMNS)
    for event in events:
        yield writer.writerow([_inert(value) for value in _values(event)])


def _values(event: AuditEvent) -> tuple[object, ...]:
    seal = getattr(event, "seal", None)
    return (
        seal.sequence if seal else "",
        event.at.isoformat(),
        event.actor_name,
        event.action,
        event.target_type,
        event.target_id,
        event.target_label,
        event.patient_id or "",
        "" if event.before is None else selectors.as_text(event.before),
        "" if event.after is None else selectors.as_text(event.after),
        event.reason,
        event.request_id,
        event.client_address or "",
        seal.hash if seal else "",
    )


def _inert(value: object) -> str:
    """Keep spreadsheets from running a recorded text as a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
