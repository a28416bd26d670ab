"""A stop of the classifier: why, which cases to look at again, and its release."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from classifier.exceptions import DomainError, NotPermitted
from classifier.views.access import MemberRequest, duty_required
from quality import policies
from quality.forms import ReleaseForm
from quality.models import ControlStop
from quality.selectors.controls import cases_to_look_at, good_run_since, last_good_run
from quality.services.control_stops import override, release

PAGE_SIZE = 50


@require_http_methods(["GET", "POST"])
@duty_required("view_patient")
def page(request: MemberRequest, pk: int) -> HttpResponse:
    """Show a stop and the cases read since the last good control; release it with a reason."""
    stops = ControlStop.objects.select_related(
        "hold__model_version", "hold__ended_by", "run__material", "good_run__material"
    )
    stop = get_object_or_404(stops, pk=pk)
    form = ReleaseForm(request.POST or None)
    if request.method == "POST" and not policies.can_release(request.user):
        raise PermissionDenied("You may not release a stopped classifier.")
    if form.is_valid() and _released(request, form, stop):
        messages.success(request, f"{stop.hold.model_version} reads again.")
        return redirect("quality:controls")
    cases = Paginator(cases_to_look_at(request.user, stop), PAGE_SIZE)
    context = {
        "stop": stop, "form": form, "page": cases.get_page(request.GET.get("page")),
        "good_run": good_run_since(stop),
        "last_good": last_good_run(stop.hold.model_version, before=stop.hold.since),
        "may_release": policies.can_release(request.user) and not stop.release,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "quality/control_stop.html", context, status=status)


def _released(request: MemberRequest, form: ReleaseForm, stop: ControlStop) -> bool:
    service = override if "override" in request.POST else release
    try:
        service(stop_id=stop.pk, actor=request.user, reason=form.cleaned_data["reason"])
    except NotPermitted as refused:
        raise PermissionDenied(str(refused)) from refused
    except DomainError as refused:
        form.add_error(None, str(refused))
        return False
    return True
