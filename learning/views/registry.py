"""The registry: all versions, one version, uploading a candidate."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from classifier.exceptions import GuardFailed
from classifier.views.access import MemberRequest, duty_required
from learning import policies
from learning.enums import UploadStatus
from learning.forms import UploadForm
from learning.selectors import registry
from learning.services.uploads import upload_candidate

READ = "view_worklist"
MANAGE = "manage_models"
REFUSED = 422


@duty_required(READ)
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List every version with its standing, and the latest uploads."""
    uploads = registry.list_uploads(request.user)
    context = {
        "rows": registry.list_models(request.user),
        "uploads": uploads,
        "is_checking": any(each.status == UploadStatus.CHECKING for each in uploads),
        "may_manage": policies.can_manage_models(request.user),
    }
    template = "learning/partials/_uploads.html" if request.htmx else "learning/models.html"
    return render(request, template, context)


@duty_required(READ)
@require_GET
def model(request: MemberRequest, pk: int) -> HttpResponse:
    """Show one version; where the page asks again, what it was judged on alone."""
    context = {
        "model": registry.get_model(request.user, pk),
        "may_manage": policies.can_manage_models(request.user),
    }
    template = "learning/partials/_judged.html" if request.htmx else "learning/model.html"
    return render(request, template, context)


@duty_required(MANAGE)
@require_http_methods(["GET", "POST"])
def upload(request: MemberRequest) -> HttpResponse:
    """Take an archive; a worker opens it and says what it found."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            upload_candidate(
                upload_id=form.cleaned_data["upload_id"],
                file=form.cleaned_data["archive"],
                actor=request.user,
                note=form.cleaned_data["note"],
            )
        except GuardFailed as refusal:
            form.add_error("archive", str(refusal))
        else:
            messages.success(request, "Uploaded. It is opened and tried before it is accepted.")
            return redirect("learning:models")
    status = REFUSED if form.is_bound else 200
    return render(request, "learning/upload.html", {"form": form}, status=status)
