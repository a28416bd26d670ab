"""Pages of row history: a record's changes beside its audit entries, and what none explains."""

from collections.abc import Sequence
from dataclasses import replace

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit, policies
from accounts.history import explaining
from accounts.history.following import FOLLOWED, switched_off
from accounts.models import User
from accounts.views.access import allowed_to, signed_in

_PER_PAGE = 50


@require_safe
@never_cache
@allowed_to(policies.can_view_audit)
def unexplained(request: HttpRequest) -> HttpResponse:
    """Show what changed in the database without an entry of the audit trail."""
    page = Paginator(explaining.unexplained(), _PER_PAGE).get_page(request.GET.get("page"))
    rows = _described(signed_in(request), list(page))
    _note_reading(request, "", "")
    context = {"page": page, "rows": rows, "off": switched_off(), "followed": _followed()}
    return render(request, "accounts/history.html", context)


@require_safe
@never_cache
@allowed_to(policies.can_view_audit)
def record(request: HttpRequest, label: str, row_id: str) -> HttpResponse:
    """Show one record's changes, before and after, beside the audit entries."""
    table = explaining.table_of(label)
    if table is None:
        raise Http404
    happenings = explaining.history_of(table, row_id, label=label)
    is_withheld = row_id in explaining.withheld(signed_in(request), label, [row_id])
    if is_withheld:
        happenings = [replace(one, is_withheld=True) for one in happenings]
    _note_reading(request, label, row_id)
    context = {
        "kind": explaining.kind_of(table),
        "row_id": row_id,
        "happenings": happenings,
        "is_withheld": is_withheld,
        "outside": sum(one.is_outside for one in happenings),
    }
    return render(request, "accounts/record_history.html", context)


def _note_reading(request: HttpRequest, label: str, row_id: str) -> None:
    after = {"record": f"{label} {row_id}"} if label else None
    with transaction.atomic():
        audit.record(actor=signed_in(request), action="history.viewed", target=None, after=after)


def _described(
    user: User, changes: Sequence[explaining.RowChange]
) -> list[tuple[explaining.Happening, str, str]]:
    """Return changes with the kind of record; without values where those are not for the user."""
    rows: dict[str, set[str]] = {}
    for change in changes:
        rows.setdefault(_label(change), set()).add(change.row_id)
    closed = {label: explaining.withheld(user, label, ids) for label, ids in rows.items()}
    return [
        (
            explaining.Happening(change, (), is_withheld=change.row_id in closed[_label(change)]),
            explaining.kind_of(change.table_name),
            _label(change),
        )
        for change in changes
    ]


def _label(change: explaining.RowChange) -> str:
    model = explaining.model_of(change.table_name)
    return str(model._meta.label_lower) if model else ""


def _followed() -> list[str]:
    return sorted({explaining.kind_of(table) for table in FOLLOWED})
