"""What merging and unmerging two patient records needs to know."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Upper
from django.shortcuts import get_object_or_404

from classifier.models import Case, MergedCase, Patient, PatientCorrection, PatientMerge
from classifier.querysets import CaseQuerySet

if TYPE_CHECKING:
    from accounts.models import User

MOST_SUGGESTED = 10
MOST_GROUPS = 50


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Records that are likely of one person, and what they share."""

    shared: str
    patients: tuple[Patient, ...]


def list_duplicates(user: "User") -> list[Duplicates]:
    """Return groups of standing records that share name and birth date, or a number.

    `MOST_GROUPS` of each kind at most; somebody decides, nothing is merged by itself.
    """
    standing = Patient.objects.visible_to(user).filter(merged_into=None)
    named = standing.annotate(family=Upper("family_name"), given=Upper("given_name"))
    return [
        *_groups(named, ("family", "given", "birth_date"), "Same name and birth date"),
        *_groups(standing, ("mrn",), "Same number of another issuer"),
    ]


def _groups(rows: QuerySet[Patient], keys: tuple[str, ...], shared: str) -> list[Duplicates]:
    shared_values = rows.order_by().values(*keys).annotate(n=Count("pk")).filter(n__gt=1)
    found: dict[tuple[object, ...], list[Patient]] = {}
    condition = Q(pk__in=[])
    for values in shared_values.order_by(*keys)[:MOST_GROUPS]:
        condition |= Q(**{key: values[key] for key in keys})
    for row in rows.filter(condition).order_by("registered_at", "pk"):
        found.setdefault(tuple(getattr(row, key) for key in keys), []).append(row)
    return [Duplicates(shared, tuple(group)) for group in found.values()]


def suggest_duplicates(user: "User", patient: Patient) -> list[Patient]:
    """Return standing records that may be of the same person: same number, or name and birth."""
    same_person = Q(
        family_name__iexact=patient.family_name,
        given_name__iexact=patient.given_name,
        birth_date=patient.birth_date,
    )
    standing = Patient.objects.visible_to(user).filter(merged_into=None).exclude(pk=patient.pk)
    return list(standing.filter(same_person | Q(mrn=patient.mrn))[:MOST_SUGGESTED])


def get_merge(user: "User", merge_id: uuid.UUID) -> PatientMerge:
    """Return a merge of records that the user may read; else Http404."""
    visible = Patient.objects.visible_to(user)
    merges = PatientMerge.objects.filter(merged__in=visible, survivor__in=visible)
    related = ("merged", "survivor", "merged_by", "undone_by")
    return get_object_or_404(merges.select_related(*related), pk=merge_id)


def merges_of(patient: Patient) -> QuerySet[PatientMerge]:
    """Return the standing merges that brought records to this one, by way of others too."""
    through = Q(survivor=patient) | Q(survivor__merged_into=patient)
    found = PatientMerge.objects.filter(through, undone_at=None)
    return found.select_related("merged", "survivor", "merged_by")


def records_of(patient: Patient) -> list[uuid.UUID]:
    """Return the ids of the record and of all that were merged into it."""
    return [patient.pk, *patient.absorbed.values_list("pk", flat=True)]


def absorbed_by_way_of(patient: Patient) -> set[uuid.UUID]:
    """Return the records whose standing merges lead to this one, whichever stands for it now."""
    found: set[uuid.UUID] = set()
    ahead = {patient.pk}
    while ahead:
        merges = PatientMerge.objects.filter(survivor__in=ahead, undone_at=None)
        ahead = set(merges.values_list("merged_id", flat=True)) - found
        found |= ahead
    return found


def cases_since(merge: PatientMerge) -> list[Case]:
    """Return the survivor's cases that came after the merge and by no other merge."""
    by_merge = MergedCase.objects.filter(
        merge__survivor=merge.survivor_id, merge__undone_at=None
    ).values("case")
    given = PatientCorrection.objects.filter(
        right=merge.survivor_id, corrected_at__gt=merge.merged_at
    ).values("case")
    came = Q(registered_at__gt=merge.merged_at) | Q(pk__in=given)
    cases = Case.objects.filter(came, patient=merge.survivor_id).exclude(pk__in=by_merge)
    return list(cases.order_by("registered_at", "pk"))


def cases_before(merge: PatientMerge) -> CaseQuerySet:
    """Return the cases that the merge brought and that the survivor still has."""
    return Case.objects.filter(
        pk__in=merge.moved.values("case"), patient=merge.survivor_id
    ).order_by("registered_at", "pk")
