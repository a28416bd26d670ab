"""Plain forms for grades of morphology; `classifier.api.morphology` serves the page's script."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from classifier.morphology_forms import FeatureForm, GradeForm, LineForm
from classifier.review_forms import ActionForm
from classifier.selectors import intake
from classifier.services import morphology
from classifier.views.access import MemberRequest, attempt, duty_required


@duty_required("review_case")
@require_POST
def grade(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Grade a feature, by a button or by its count."""
    return _step(request, pk, morphology.grade_feature, GradeForm(request.POST))


@duty_required("review_case")
@require_POST
def withdraw(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take back what was said of a feature."""
    return _step(request, pk, morphology.withdraw_grade, FeatureForm(request.POST))


@duty_required("review_case")
@require_POST
def rest_absent(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Call absent what is left of a cell line."""
    return _step(request, pk, morphology.call_rest_absent, LineForm(request.POST))


def _step(
    request: MemberRequest, pk: uuid.UUID, service: Callable[..., Any], form: ActionForm
) -> HttpResponse:
    case = intake.get_case(request.user, pk)
    if form.is_valid():
        attempt(request, service, case_id=case.pk, actor=request.user, **form.cleaned_data)
    else:
        messages.error(request, "Choose a grade, or type a percentage between 0 and 100.")
    return redirect(reverse("classifier:review", args=[case.pk]) + "#side-morphology")
