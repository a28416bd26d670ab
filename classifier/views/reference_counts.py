"""Reference counts: the list, one study with its result, and the page of a blind reader."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import record_read
from classifier import policies
from classifier.forms import ReasonForm
from classifier.models import ReferenceStudy
from classifier.reference_count_forms import MarkForm, StudyForm
from classifier.selectors import intake
from classifier.selectors import reference_counts as selectors
from classifier.selectors.class_keys import CLASS_KEYS
from classifier.selectors.reference_results import get_result, may_see_result
from classifier.services import reading_pictures
from classifier.services import reference_counts as services
from classifier.views.access import MemberRequest, View, attempt, duty_required
from classifier.views.images import private_file
from classifier.views.reference_csv import write_result
from ml.errors import ImageRejected
from vault.exceptions import Disposed


def member_required(view: View) -> View:
    """Let in pathologists and whoever manages the laboratory."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not policies.can_open_reference_count(request.user):  # type: ignore[arg-type]
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)


@member_required
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List the studies and offer to open one."""
    return _index(request, StudyForm())


@member_required
@require_POST
def open_study(request: MemberRequest) -> HttpResponse:
    """Open a study of the case whose accession number was typed."""
    form = StudyForm(request.POST)
    if not form.is_valid():
        return _index(request, form, status=422)
    case = intake.find_by_accession(request.user, form.cleaned_data["accession_number"])
    if case is None:
        form.add_error("accession_number", "No case has this accession number.")
        return _index(request, form, status=422)
    attempt(
        request,
        services.open_study,
        success=f"A reference count of {case.accession_number} is open for two readers.",
        case_id=case.pk,
        actor=request.user,
        cells_wanted=form.cleaned_data["cells_wanted"],
    )
    return redirect("classifier:studies")


@member_required
@require_GET
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how far the readers are, or the result."""
    study = selectors.get_study(request.user, pk)
    result = get_result(study) if may_see_result(request.user, study) else None
    if result:
        record_read(actor=request.user, patient=study.case.patient)
    context = {
        "study": study,
        "sees_case": selectors.sees_case(request.user, study),
        "result": result,
        "progress": selectors.progress_of(study),
        "total": study.cells.count(),
        "can_start": selectors.can_start(request.user, study),
        "reading": selectors.find_reading(study, request.user),
        "may_cancel": study.is_open
        and (
            study.opened_by_id == request.user.pk
            or request.user.has_perm("accounts.manage_laboratory")
        ),
    }
    return render(request, "classifier/reference_count.html", context)


@duty_required("review_case")
@require_POST
def start(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a seat."""
    study = selectors.get_study(request.user, pk)
    if attempt(request, services.start_reading, study_id=study.pk, actor=request.user):
        return redirect("classifier:study_reading", study.pk)
    return redirect(study)


@duty_required("review_case")
@require_GET
def read(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one cell to its reader."""
    study = selectors.get_study(request.user, pk)
    reading = selectors.find_reading(study, request.user)
    if reading is None:
        return redirect(study)
    wanted = request.GET.get("cell", "")
    task = selectors.task_of(reading, int(wanted) if wanted.isdecimal() else None)
    return render(request, "classifier/reference_reading.html", _reading_page(study, task))


@duty_required("review_case")
@require_POST
def mark(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Name a cell by the plain form, and go on to the next one."""
    study = selectors.get_study(request.user, pk)
    form = MarkForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a class.")
    else:
        attempt(
            request,
            services.mark_cell,
            study_id=study.pk,
            actor=request.user,
            **form.cleaned_data,
        )
    return redirect("classifier:study_reading", study.pk)


@duty_required("review_case")
@require_POST
def complete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End one's reading."""
    return _end(request, pk, services.complete_reading, "Your reading is complete.")


@duty_required("review_case")
@require_POST
def leave(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give one's reading up."""
    return _end(request, pk, services.leave_reading, "You left; your marks do not count.")


@member_required
@require_POST
def cancel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End a study without a result."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason.")
        return redirect(selectors.get_study(request.user, pk))
    reason = form.cleaned_data["reason"]
    return _end(request, pk, services.cancel_study, "Cancelled.", reason=reason)


@member_required
@require_GET
def picture(request: MemberRequest, pk: uuid.UUID, position: int) -> FileResponse:
    """Return the picture of one cell, to its readers and to whoever may see the result."""
    study = selectors.get_study(request.user, pk)
    reading = selectors.find_reading(study, request.user)
    if reading is None and not may_see_result(request.user, study):
        raise PermissionDenied
    cells = study.cells.select_related("cell__image")
    try:
        file = reading_pictures.open_picture(get_object_or_404(cells, position=position))
    except Disposed:
        raise
    except (OSError, ImageRejected) as error:
        raise Http404 from error
    return private_file(file, "image/webp")


@member_required
@require_GET
def result_csv(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the result as CSV."""
    study = selectors.get_study(request.user, pk)
    result = get_result(study) if may_see_result(request.user, study) else None
    if result is None:
        raise PermissionDenied
    response = HttpResponse(write_result(study, result), content_type="text/csv; charset=utf-8")
    name = f"reference-count-{study.case.accession_number}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _index(request: MemberRequest, form: StudyForm, *, status: int = 200) -> HttpResponse:
    studies = selectors.list_studies(request.user)
    context = {
        "open_studies": [study for study in studies if study.is_open],
        "ended_studies": [study for study in studies if not study.is_open],
        "form": form,
    }
    return render(request, "classifier/reference_counts.html", context, status=status)


def _end(
    request: MemberRequest,
    pk: uuid.UUID,
    service: Callable[..., Any],
    success: str,
    **arguments: Any,
) -> HttpResponse:
    study = selectors.get_study(request.user, pk)
    attempt(request, service, success=success, study_id=study.pk, actor=request.user, **arguments)
    return redirect(study)


def _reading_page(study: ReferenceStudy, task: selectors.Task) -> dict[str, Any]:
    picture_url = reverse("classifier:study_picture", args=[study.pk, 0])
    return {
        "study": study,
        "task": task,
        "class_keys": CLASS_KEYS,
        "proposed": task.contested.get(task.position, ()),
        "step_id": uuid.uuid4(),
        "script_data": {
            "positions": task.positions,
            "position": task.position,
            "marks": task.marks,
            "contested": task.contested,
            "labels": {item.cell_type: item.label for item in CLASS_KEYS},
            "picture": picture_url,
            "marksUrl": reverse("classifier:study_marks", args=[study.pk]),
        },
    }
