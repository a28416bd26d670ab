"""The page of exports for research: asked for, watched, downloaded, deleted."""

import uuid

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classifier.exceptions import GuardFailed, NotPermitted
from classifier.views.access import MemberRequest, attempt, duty_required
from reports.models import ResearchExport
from reports.research_forms import ResearchForm
from reports.services import research as service

MOST_SHOWN = 50
UNPROCESSABLE = 422


@duty_required("export_research")
@never_cache
@require_http_methods(["GET", "POST"])
def research(request: MemberRequest) -> HttpResponse:
    """Show the exports and the form for another; a fragment request refreshes the list alone."""
    form = ResearchForm(request.POST) if request.method == "POST" else ResearchForm.blank()
    if form.is_bound and form.is_valid():
        try:
            service.request_export(
                actor=request.user,
                export_id=form.cleaned_data["export_id"],
                wish=form.wish(),
            )
            return redirect("reports:research")
        except NotPermitted as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except GuardFailed as refusal:
            form.add_error(None, str(refusal))
    exports = list(ResearchExport.objects.select_related("requested_by")[:MOST_SHOWN])
    context = {
        "form": form,
        "exports": exports,
        "is_working": any(export.is_unfinished for export in exports),
        "kept_days": service.KEPT.days,
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "partials/_research_exports.html" if is_fragment else "research.html"
    return render(
        request, f"reports/{template}", context, status=UNPROCESSABLE if form.errors else 200
    )


@duty_required("export_research")
@never_cache
@require_GET
def archive(request: MemberRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Hand out an archive; recorded first."""
    export = get_object_or_404(ResearchExport, pk=pk)
    try:
        file = service.open_export(export=export, actor=request.user)
    except GuardFailed as refusal:
        return HttpResponse(str(refusal), status=410, content_type="text/plain; charset=utf-8")
    name = f"research-{export.requested_at:%Y%m%d}-{str(export.pk)[:8]}.zip"
    return FileResponse(file, as_attachment=True, filename=name)


@duty_required("export_research")
@require_POST
def delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete an archive before its time."""
    export = get_object_or_404(ResearchExport, pk=pk)
    attempt(
        request,
        service.delete_export,
        success="The export was deleted.",
        export=export,
        actor=request.user,
    )
    return redirect("reports:research")
