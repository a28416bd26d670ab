"""A case of the wrong patient: giving it to the right one, or registering it again for them."""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.audit import record_read
from classifier.exceptions import DomainError, NotPermitted
from classifier.identity_forms import WhyForm
from classifier.models import Case, Patient
from classifier.selectors import intake
from classifier.selectors.identity import Story, story_of
from classifier.selectors.patients import find_patients, get_standing, searched_words
from classifier.services.registering_again import register_again
from classifier.services.wrong_patients import correct_patient
from classifier.views.access import MemberRequest, duty_required

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Step:
    """How a page names what is to be done about a wrong patient."""

    title: str
    explanation: str
    button: str


CORRECT = Step(
    "Wrong patient",
    "Nothing of this case was signed yet. It goes to the right patient as it is; if other limits "
    "hold for them, an open review begins anew.",
    "Give the case to this patient",
)
AGAIN = Step(
    "Register again under the right patient",
    "This case ended and stays on record. A new case is made under the right patient, with the "
    "same pictures, readings and marks. It is reviewed and signed again.",
    "Register again under this patient",
)


@duty_required("register_patient")
@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def choose(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Find the right patient; what is searched for travels in the body."""
    case = intake.get_case(request.user, pk)
    record_read(actor=request.user, patient=case.patient)
    text = " ".join(searched_words(request.POST.get("q", "")))
    found = find_patients(request.user, text).exclude(pk=case.patient_id)[:SHOWN] if text else []
    story = story_of(request.user, case)
    context = {
        "case": case, "story": story, "step": _step(story), "text": text, "found": found,
    }  # fmt: skip
    return render(request, "classifier/case_patient_choose.html", context)


@duty_required("register_patient")
@duty_required("view_patient")
@require_http_methods(["GET", "POST"])
def give(request: MemberRequest, pk: uuid.UUID, patient_pk: uuid.UUID) -> HttpResponse:
    """Show the case beside the right patient, ask why, and do it."""
    case = intake.get_case(request.user, pk)
    right = get_standing(request.user, patient_pk)
    for one in (case.patient, right):
        record_read(actor=request.user, patient=one)
    form = WhyForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (done := _do(request, case, right, form)):
        return redirect(done)
    story = story_of(request.user, case)
    context = {"case": case, "right": right, "form": form, "story": story, "step": _step(story)}
    status = 422 if form.is_bound else 200
    return render(request, "classifier/case_patient.html", context, status=status)


def _step(story: Story) -> Step | None:
    if story.may_correct:
        return CORRECT
    return AGAIN if story.may_register_again else None


def _do(request: MemberRequest, case: Case, right: Patient, form: WhyForm) -> Case | None:
    is_correction = story_of(request.user, case).may_correct
    service = correct_patient if is_correction else register_again
    try:
        done = service(
            case_id=case.pk,
            actor=request.user,
            right_id=right.pk,
            reason=form.cleaned_data["reason"],
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        return None
    said = "The case is now with this patient." if is_correction else (
        f"Registered again as {done.accession_number}. Check it, then submit it."
    )  # fmt: skip
    messages.success(request, said)
    return done
