"""A case that was registered under the wrong patient, before anything of it was issued."""

import uuid
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier import guards, policies
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, Laboratory, Patient, PatientCorrection
from classifier.selectors.critical_limits import choose_limits
from classifier.selectors.references import References, age_at_collection, choose_references
from classifier.services.cases import check_born_before
from classifier.services.legal_holds import carry_holds
from classifier.services.merging import give_case, lock_patients
from classifier.services.reviews import close_review
from classifier.services.transitions import lock_case, transition

if TYPE_CHECKING:
    from accounts.models import User

BEFORE_SIGNING = (*policies.TECHNICIAN_STAGE, CaseStatus.IN_REVIEW)


@transaction.atomic
def correct_patient(*, case_id: uuid.UUID, actor: "User", right_id: uuid.UUID, reason: str) -> Case:
    """Give a case that is not signed to the patient whose blood it is.

    The trail keeps whose it was. An open review begins anew if other limits hold at the right
    patient's age or sex; whoever signs is not who submitted, and sees the right identity. For a
    merged record the surviving one is taken. The same again is harmless.

    Raises:
        NotPermitted: the actor doesn't register patients.
        TransitionRefused: the case is signed or ended.
        GuardFailed: no reason, or an interim result is out under the wrong patient.
        InvalidSpecimen: the blood was collected before the right patient's birth.
    """
    if not policies.can_correct_patient(actor):
        raise NotPermitted("You may not change whose case this is.")
    wrong, right = _lock(case_id, right_id)
    case = lock_case(case_id)
    if case.patient_id == right.pk:
        return case
    if case.patient_id != wrong.pk:
        raise TransitionRefused("Somebody changed whose case this is meanwhile; look at it again.")
    _check(case, right, reason)
    before = _limits(case)
    give_case(case, right, actor=actor, action="case.patient_corrected", reason=reason.strip())
    carry_holds(case, left=wrong, actor=actor)
    restarted = case.status == CaseStatus.IN_REVIEW and _limits(case) != before
    if restarted:
        transition(case_id=case.pk, name="restart_review", actor=actor, reason=reason)
        close_review(case=case, outcome=ReviewOutcome.RELEASED)
    _keep(case, wrong, right, actor, reason.strip(), restarted_review=restarted)
    case.refresh_from_db()
    return case


def _lock(case_id: uuid.UUID, right_id: uuid.UUID) -> list[Patient]:
    """Return whose case it is and whose it should be, locked; records before their cases."""
    wrong_id = Case.objects.values_list("patient", flat=True).get(pk=case_id)
    standing_id = Patient.objects.select_related("merged_into").get(pk=right_id).standing.pk
    wrong, right = lock_patients(wrong_id, standing_id)
    if right.merged_into_id:
        raise TransitionRefused("The right patient's record was merged meanwhile; look again.")
    return [wrong, right]


def _check(case: Case, right: Patient, reason: str) -> None:
    if case.status not in BEFORE_SIGNING:
        raise TransitionRefused(
            f"Case {case.accession_number} is {case.get_status_display().lower()}; "
            "whose it is can't be changed now."
        )
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    if problem := guards.nothing_issued(case):
        raise GuardFailed(problem)
    check_born_before(case.specimen.collected_at, right)


def _limits(case: Case) -> tuple[References, dict[object, int]]:
    """Return by what the case's results are judged at the patient's age and sex."""
    age = age_at_collection(case)
    limits = choose_limits(case, age.is_within)
    references = choose_references(case, age, Laboratory.current())
    return references, {key: limit.pk for key, limit in limits.items()}


def _keep(
    case: Case,
    wrong: Patient,
    right: Patient,
    actor: "User",
    reason: str,
    *,
    restarted_review: bool,
) -> None:
    """Keep the correction, in the wrong patient's trail as well."""
    PatientCorrection.objects.create(
        case=case,
        wrong=wrong,
        right=right,
        reason=reason,
        restarted_review=restarted_review,
        corrected_by=actor,
    )
    record(
        actor=actor,
        action="case.patient_left",
        target=case,
        before={"patient": wrong.pk},
        after={"patient": right.pk, "review_restarted": restarted_review},
        reason=reason,
        patient=wrong.pk,
    )
