"""The list of notices, and the way from one to what it is about."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.views.access import signed_in
from notifications.models import Notice
from notifications.selectors import count_unread, list_notices
from notifications.services.reading import mark_read

PAGE_SIZE = 25


@login_required
@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the notices, the newest first; only the unread if asked."""
    user = signed_in(request)
    only_unread = request.GET.get("show") == "unread"
    found = Paginator(list_notices(user, only_unread=only_unread), PAGE_SIZE)
    context = {
        "page": found.get_page(request.GET.get("page")),
        "only_unread": only_unread,
        "unread": count_unread(user),
        "query": "show=unread" if only_unread else "",
    }
    return render(request, "notifications/notices.html", context)


@login_required
@never_cache
@require_GET
def open_notice(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Note that it was read and go where it leads. Mails link here: they hold no more."""
    user = signed_in(request)
    found = Notice.objects.select_related("event")
    notice = get_object_or_404(found, pk=pk, recipient=user)
    mark_read(user=user, notice_id=notice.pk)
    if notice.says is None:
        return redirect("notifications:notices")
    return redirect(notice.says.address(notice.event))


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Note that all notices were read."""
    if mark_read(user=signed_in(request)):
        messages.success(request, "All notices are marked as read.")
    return redirect("notifications:notices")
