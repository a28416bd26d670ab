"""Labelled sets: opening, nominating, naming as the second reader, freezing, retiring."""

import uuid

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from classifier.exceptions import GuardFailed
from classifier.views.access import MemberRequest, attempt, duty_required
from classifier.views.images import private_file
from learning import policies
from learning.enums import SetKind, UploadStatus
from learning.forms import NominateForm, ReadForm, ReasonForm, SetForm, SetUploadForm
from learning.selectors import golden
from learning.services import golden as services
from learning.services.set_uploads import Wanted, upload_set

READ = "view_worklist"
MANAGE = "manage_models"
REFUSED = 422


@duty_required(READ)
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List the sets that models are judged on; where the page asks again, the uploads alone.

    Once none is being checked, the page loads anew, as a set may have come.
    """
    uploads = golden.list_set_uploads(request.user)
    is_checking = any(each.status == UploadStatus.CHECKING for each in uploads)
    if request.htmx and not is_checking:
        return HttpResponseClientRefresh()
    context = {
        "uploads": uploads,
        "is_checking": is_checking,
        "sets": golden.list_sets(request.user),
        "may_manage": policies.can_manage_models(request.user),
        "may_read": policies.can_read_nominations(request.user),
    }
    template = "learning/partials/_set_uploads.html" if request.htmx else "learning/sets.html"
    return render(request, template, context)


@duty_required(MANAGE)
@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Open a draft."""
    form = SetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data | {"kind": SetKind(form.cleaned_data["kind"])}
        try:
            opened = services.open_set(actor=request.user, **values)
        except GuardFailed as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(opened)
    status = REFUSED if form.errors else 200
    return render(request, "learning/set_new.html", {"form": form}, status=status)


@duty_required(MANAGE)
@require_http_methods(["GET", "POST"])
def upload(request: MemberRequest) -> HttpResponse:
    """Take an archive of labelled pictures; a worker checks it and freezes the set."""
    form = SetUploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            upload_set(
                upload_id=values["upload_id"],
                file=values["archive"],
                wanted=Wanted(
                    name=values["name"],
                    kind=SetKind(values["kind"]),
                    source=values["source"],
                    licence=values["licence"],
                ),
                actor=request.user,
            )
        except GuardFailed as refusal:
            form.add_error("archive", str(refusal))
        else:
            messages.success(request, "Uploaded. Every picture is checked before the set is made.")
            return redirect("learning:sets")
    status = REFUSED if form.is_bound else 200
    return render(request, "learning/set_upload.html", {"form": form}, status=status)


@duty_required(READ)
@require_GET
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what a set holds, and what may be done with it."""
    context = {
        "page": golden.get_set(request.user, pk),
        "form": NominateForm(),
        "may_manage": policies.can_manage_models(request.user),
        "may_read": policies.can_read_nominations(request.user),
    }
    return render(request, "learning/set.html", context)


@duty_required(MANAGE)
@require_POST
def nominate(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Put the named cells of a signed case forward."""
    golden.get_set(request.user, pk)
    form = NominateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the accession number of a signed case.")
    else:
        attempt(
            request,
            services.nominate_case,
            success="Put forward. A second pathologist names the cells without seeing the first.",
            set_id=pk,
            accession_number=form.cleaned_data["accession_number"],
            actor=request.user,
        )
    return redirect("learning:set", pk)


@duty_required(MANAGE)
@require_POST
def freeze(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Close a draft for good."""
    golden.get_set(request.user, pk)
    attempt(
        request,
        services.freeze_set,
        success="Frozen: from now on models are judged on it.",
        set_id=pk,
        actor=request.user,
    )
    return redirect("learning:set", pk)


@duty_required(MANAGE)
@require_POST
def retire(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Have a frozen set judge no more."""
    golden.get_set(request.user, pk)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    attempt(request, services.retire_set, set_id=pk, actor=request.user, reason=reason)
    return redirect("learning:set", pk)


@duty_required("review_case")
@require_http_methods(["GET", "POST"])
def read(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the second reader one cell after the other, and take what he calls each."""
    page = golden.get_set(request.user, pk)
    form = ReadForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        nomination = golden.get_nomination(request.user, form.cleaned_data["nomination"])
        attempt(
            request,
            services.name_nomination,
            nomination_id=nomination.pk,
            cell_type=form.cleaned_data["cell_type"],
            actor=request.user,
        )
        return redirect("learning:set_read", pk)
    following, left = golden.next_nomination(request.user, pk)
    if not form.is_bound:
        form = ReadForm(initial={"nomination": following.pk if following else None})
    context = {"page": page, "nomination": following, "left": left, "form": form}
    return render(request, "learning/set_read.html", context,
                  status=REFUSED if form.errors else 200)  # fmt: skip


@duty_required("review_case")
@require_GET
def nomination_picture(request: MemberRequest, pk: int) -> HttpResponse:
    """Return the picture of a nominated cell alone: no case, no patient, no class."""
    nomination = golden.get_nomination(request.user, pk)
    try:
        data = services.picture_of(nomination.cell)
    except OSError as error:
        raise Http404 from error
    return HttpResponse(data, content_type="image/png", headers={"Cache-Control": "private"})


@duty_required(READ)
@require_GET
def cell_picture(request: MemberRequest, pk: uuid.UUID) -> FileResponse:
    """Return the picture of a labelled cell."""
    cell = golden.get_cell(request.user, pk)
    return private_file(cell.file.open("rb"), "image/png", is_final=True)
