"""Taking back that two records are of one person."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from classifier import policies
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, Patient, PatientMerge
from classifier.selectors.merging import absorbed_by_way_of, cases_since
from classifier.services.legal_holds import carry_holds
from classifier.services.merging import (
    give_case,
    is_restricted,
    lock_patients,
    record_for_both,
)

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def unmerge_patients(
    *, merge_id: uuid.UUID, actor: "User", reason: str, goes_to: Mapping[uuid.UUID, uuid.UUID]
) -> PatientMerge:
    """Take a merge back: the cases that it brought return, and ``goes_to`` says where others go.

    ``goes_to`` names a record, one of the two, for each case that came since the merge. Taking
    the same merge back again is harmless.

    Raises:
        NotPermitted: the actor doesn't merge records.
        GuardFailed: no reason; the survivor is restricted; or it was merged on, which has to be
            taken back first.
        EditConflict: a case came meanwhile, of which nobody has said where it goes.
    """
    if not policies.can_merge_patients(actor):
        raise NotPermitted("You may not take merges back.")
    pair = PatientMerge.objects.get(pk=merge_id)
    merged, survivor = lock_patients(pair.merged_id, pair.survivor_id)
    merge = PatientMerge.objects.select_for_update().get(pk=merge_id)
    if merge.undone_at:
        return merge
    _check(survivor, reason)
    moved = _cases_to_move(merge, merged, goes_to)
    _point_back(merge, merged)
    for case in moved:
        give_case(case, merged, actor=actor, action="case.unmerged", reason=reason.strip())
        carry_holds(case, left=survivor, actor=actor)
    merge.undone_by, merge.undone_at = actor, timezone.now()
    merge.undo_reason = reason.strip()
    merge.save(update_fields=["undone_by", "undone_at", "undo_reason"])
    record_for_both(
        merge,
        actor,
        moved,
        merged="patient.unmerged",
        survivor="patient.released",
        reason=merge.undo_reason,
    )
    return merge


def _check(survivor: Patient, reason: str) -> None:
    if survivor.merged_into_id:
        raise GuardFailed(
            "The surviving record was merged into another one itself. Take that merge back first."
        )
    if is_restricted(survivor):
        raise GuardFailed("The record is restricted. Its restriction has to be lifted first.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")


def _cases_to_move(
    merge: PatientMerge, merged: Patient, goes_to: Mapping[uuid.UUID, uuid.UUID]
) -> list[Case]:
    """Return, locked, the cases that go to the merged record.

    A case that was given to somebody else since stays there.
    """
    since = {case.pk for case in cases_since(merge)}
    records = {merge.merged_id, merge.survivor_id}
    if since != set(goes_to) or not set(goes_to.values()) <= records:
        raise EditConflict(
            "Say of each case that came since the merge to which record it belongs. "
            "Nothing was changed."
        )
    wanted = {pk for pk, patient in goes_to.items() if patient == merged.pk}
    wanted |= set(merge.moved.values_list("case_id", flat=True))
    cases = Case.objects.select_for_update(of=("self",)).filter(patient=merge.survivor_id)
    return list(cases.filter(pk__in=wanted).order_by("pk"))


def _point_back(merge: PatientMerge, merged: Patient) -> None:
    """Let the record, and those that came to the survivor with it, be as they were."""
    with_it = absorbed_by_way_of(merged)
    merged.merged_into = None
    merged.save(update_fields=["merged_into"])
    Patient.objects.filter(pk__in=with_it).update(merged_into=merged)
