"""How reports are printed: the page of choices."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from classifier.exceptions import DomainError, NotPermitted
from classifier.models import Laboratory
from classifier.views.access import MemberRequest, duty_required
from reports.forms import LayoutForm
from reports.layouts import describe_layout
from reports.models import PrintLayout
from reports.services.layouts import change_layout

REFUSED = 422


@duty_required("manage_laboratory")
@require_http_methods(["GET", "POST"])
def layout(request: MemberRequest) -> HttpResponse:
    """Show and change paper, order, footer and logo."""
    now = describe_layout()
    form = LayoutForm(request.POST or None, request.FILES or None, layout=now)
    if form.is_valid():
        try:
            change_layout(actor=request.user, choice=form.choice())
        except NotPermitted as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Reports signed from now on are printed so.")
            return redirect("report_administration:layout")
    context = {
        "form": form,
        "layout": now,
        "laboratory": Laboratory.current(),
        "versions": PrintLayout.objects.select_related("changed_by").defer("logo")[:20],
    }
    status = REFUSED if form.is_bound else 200
    return render(request, "reports/layout.html", context, status=status)
