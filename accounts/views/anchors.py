"""Pages of the audit trail's anchors, and its export for verification elsewhere."""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit, policies
from accounts.anchoring import checking, export
from accounts.anchoring.keys import KeyRefused, current_key
from accounts.anchoring.models import AuditKey
from accounts.views.access import allowed_to, signed_in


@require_safe
@never_cache
@allowed_to(policies.can_view_audit)
def anchor_list(request: HttpRequest) -> HttpResponse:
    """Show each day's anchor with its check, the days without, and the keys."""
    anchors = checking.check_anchors()
    days = {item.anchor.day: item for item in anchors}
    missing = checking.missing_days(days)
    context = {
        "rows": [(day, days.get(day)) for day in sorted({*days, *missing}, reverse=True)],
        "anchors": anchors,
        "missing": missing,
        "faulty": [item for item in anchors if item.findings],
        "keys": AuditKey.objects.order_by("-number"),
        "good_keys": checking.check_keys(),
        "has_folder": settings.AUDIT_ANCHOR_DIR is not None,
        "mailed_to": settings.AUDIT_ANCHOR_MAIL if settings.MAIL_IS_CONFIGURED else [],
    }
    return render(request, "accounts/anchors.html", context)


@require_safe
@never_cache
@allowed_to(policies.can_view_audit)
def export_whole(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Send the whole trail with anchors and keys, signed; the export is recorded first."""
    try:
        current_key()
    except KeyRefused as refusal:
        context = {"refusal": refusal}
        return render(request, "accounts/export_refused.html", context, status=503)
    with transaction.atomic():
        audit.record(actor=signed_in(request), action="audit.exported_whole", target=None)
    name = f"audit-trail-{timezone.now():%Y%m%dT%H%M%SZ}.jsonl.gz"
    return StreamingHttpResponse(
        export.compressed(export.export_lines()),
        content_type="application/gzip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
