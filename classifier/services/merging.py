"""Saying that two records are of one person.

Locks are taken in one order: records by their id, then their cases. A record that stands for
others never points to another itself, so finding who stands for a record is one step.
"""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import policies
from classifier.enums import CaseStatus, Sex
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, MergedCase, Patient, PatientMerge
from classifier.services.critical import reassess

if TYPE_CHECKING:
    from accounts.models import User

HAVE_ENDED_SIGNED = (CaseStatus.SIGNED_OFF, CaseStatus.ENTERED_IN_ERROR)
"""What such a case says was signed: nobody judges it anew."""
DIFFERENCES = {"birth_date": "birth date", "sex": "sex"}
"""What two records of one person can't truly differ in: to be named by whoever merges them."""


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """Which record is to go into which, why, and which differences the person has seen."""

    merged_id: uuid.UUID
    survivor_id: uuid.UUID
    reason: str
    named: frozenset[str] = frozenset()


def differences(one: Patient, other: Patient) -> frozenset[str]:
    """Return which of `DIFFERENCES` there are; a sex that is not known contradicts nothing."""
    found = set()
    if one.birth_date != other.birth_date:
        found.add("birth_date")
    if len({one.sex, other.sex} - {Sex.UNKNOWN}) > 1:
        found.add("sex")
    return frozenset(found)


def is_restricted(patient: Patient) -> bool:
    """Tell whether the patient's record is open to those alone who take part in the care."""
    return patient.restrictions.filter(lifted_at=None).exists()


def lock_patients(*ids: uuid.UUID) -> list[Patient]:
    """Return the records in the order asked, locked until the transaction ends."""
    rows = Patient.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    by_id = {row.pk: row for row in rows}
    return [by_id[pk] for pk in ids]


@transaction.atomic
def merge_patients(*, actor: "User", request: MergeRequest) -> PatientMerge:
    """Let one record stand for two; all cases are the survivor's from now on.

    The merged record stays as it is and points to the survivor. What was signed stays as it was
    signed. Merging the same two again is harmless.

    Raises:
        NotPermitted: the actor doesn't merge records.
        GuardFailed: no reason, twice the same record, a restricted one, or a difference that
            wasn't named.
        EditConflict: one of them was merged elsewhere meanwhile.
    """
    if not policies.can_merge_patients(actor):
        raise NotPermitted("You may not merge patient records.")
    if request.merged_id == request.survivor_id:
        raise GuardFailed("Choose two different records.")
    merged, survivor = lock_patients(request.merged_id, request.survivor_id)
    if merged.merged_into_id == survivor.pk:
        return merged.merges.get(undone_at=None)
    _check(merged, survivor, request)
    merge = PatientMerge.objects.create(
        merged=merged,
        survivor=survivor,
        reason=request.reason.strip(),
        differences=sorted(request.named),
        merged_by=actor,
        merged_at=timezone.now(),
    )
    cases = _bring_cases(merge, actor)
    _point(merged, survivor)
    record_for_both(
        merge,
        actor,
        cases,
        merged="patient.merged",
        survivor="patient.absorbed",
        reason=merge.reason,
    )
    return merge


def _check(merged: Patient, survivor: Patient, request: MergeRequest) -> None:
    if not request.reason.strip():
        raise GuardFailed("Give a reason.")
    for row in (merged, survivor):
        if row.merged_into_id:
            raise EditConflict(
                f"The record with MRN {row.mrn} ({row.mrn_issuer}) was merged into another one "
                "meanwhile. Nothing was changed; look at the records again."
            )
        if is_restricted(row):
            raise GuardFailed(
                f"The record with MRN {row.mrn} ({row.mrn_issuer}) is restricted. Its restriction "
                "has to be lifted before it is merged, and may be set again on what stands then."
            )
    unnamed = differences(merged, survivor) - request.named
    if unnamed:
        names = " and ".join(DIFFERENCES[name] for name in sorted(unnamed))
        raise GuardFailed(f"The records differ in {names}: confirm that you have seen it.")


def _point(merged: Patient, survivor: Patient) -> None:
    """Let the record, and those that it stood for, name the survivor."""
    Patient.objects.filter(merged_into=merged).update(merged_into=survivor)
    merged.merged_into = survivor
    merged.save(update_fields=["merged_into"])


def _bring_cases(merge: PatientMerge, actor: "User") -> list[Case]:
    cases = list(merge.merged.cases.select_for_update(of=("self",)).order_by("pk"))
    MergedCase.objects.bulk_create(MergedCase(merge=merge, case=case) for case in cases)
    for case in cases:
        give_case(case, merge.survivor, actor=actor, action="case.merged", reason=merge.reason)
    return cases


def give_case(case: Case, patient: Patient, *, actor: "User", action: str, reason: str) -> None:
    """Make a locked case another record's; its critical findings are judged by that record.

    What somebody prepared to sign says who the patient is, so it can't be signed unseen.
    """
    before = case.patient_id
    case.patient = patient
    case.version += 1
    case.save(update_fields=["patient", "version"])
    record(
        actor=actor,
        action=action,
        target=case,
        before={"patient": before},
        after={"patient": patient.pk},
        reason=reason,
        patient=patient.pk,
    )
    if case.status not in HAVE_ENDED_SIGNED:
        reassess(case)


def record_for_both(
    merge: PatientMerge,
    actor: "User",
    cases: list[Case],
    *,
    merged: str,
    survivor: str,
    reason: str,
) -> None:
    """Write the same into the trail of both records, under an action of each one's own."""
    facts = {
        "merge": merge.pk,
        "survivor": merge.survivor_id,
        "merged": merge.merged_id,
        "differences": merge.differences,
        "cases": [case.accession_number for case in cases],
    }
    for action, patient in ((merged, merge.merged_id), (survivor, merge.survivor_id)):
        record(
            actor=actor, action=action, target=merge, after=facts, reason=reason, patient=patient
        )
