"""Why a case's pictures are still needed, whatever the rules say; asked of many or of one."""

import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from classifier.enums import OPEN_RUN_STATUSES, UNFINISHED, CaseStatus, ExplanationStatus
from classifier.models import (
    Case,
    ClassificationRun,
    CriticalAlert,
    Explanation,
    LegalHold,
    ReferenceCell,
    ReferenceStudy,
)
from consultation.models import Referral
from learning.models import LabelledCell, Nomination, TrainingCell
from quality.models import KnownCell
from reports.models import WithdrawalRequest

Ids = Collection[uuid.UUID]
Reasons = dict[uuid.UUID, str]


def reasons_to_keep(cases: Ids) -> Mapping[uuid.UUID, str]:
    """Return why each of the cases is not to lose a picture, for those that aren't."""
    found: Reasons = _unfinished(cases)
    for words, ask in REASONS:
        needed = {pk for pk in ask(cases) if pk is not None}
        for pk in needed - set(found):
            found[pk] = words
    return found


def _unfinished(cases: Ids) -> Reasons:
    rows = Case.objects.filter(pk__in=cases, status__in=UNFINISHED).values_list("pk", "status")
    return {pk: f"The case isn't final: {CaseStatus(status).label.lower()}." for pk, status in rows}


def _held(cases: Ids) -> set[uuid.UUID]:
    owners = dict(Case.objects.filter(pk__in=cases).values_list("pk", "patient"))
    on_record = Q(patient__in=owners.values()) | Q(patient__merged_into__in=owners.values())
    holds = LegalHold.objects.in_force().filter(Q(case__in=cases) | on_record)
    rows = list(holds.values_list("case", "patient", "patient__merged_into"))
    held_cases = {case for case, _, _ in rows}
    held_patients = {pk for _, *patients in rows for pk in patients if pk}
    return {pk for pk, owner in owners.items() if pk in held_cases or owner in held_patients}


def _of(rows: "QuerySet[Any]", path: str = "case") -> Callable[[Ids], Collection[uuid.UUID]]:
    def ask(cases: Ids) -> Collection[uuid.UUID]:
        return set(rows.filter(**{f"{path}__in": cases}).values_list(path, flat=True))

    return ask


def _referred(cases: Ids) -> Collection[uuid.UUID]:
    still = Referral.objects.filter(withdrawn_at=None, expires_at__gt=timezone.now())
    return _of(still)(cases)


HELD = "A legal hold is on the record."
NOT_DUE = "No rule in force says that its time is over."
GONE = "It was disposed of already."
_OF_CELL = "cell__image__case"
REASONS: tuple[tuple[str, Callable[[Ids], Collection[uuid.UUID]]], ...] = (
    (HELD, _held),
    ("A second opinion is open.", _referred),
    (
        "A critical result waits to be told.",
        _of(CriticalAlert.objects.filter(closed_at=None, waiting_since__isnull=False)),
    ),
    (
        "A withdrawal of its report is asked for.",
        _of(WithdrawalRequest.objects.filter(decided_at=None), "report__case"),
    ),
    ("A reference count of it is open.", _of(ReferenceStudy.objects.filter(ended_at=None))),
    (
        "The reference library shows a cell of it.",
        _of(ReferenceCell.objects.filter(retired_at=None), _OF_CELL),
    ),
    (
        "A labelled set holds cells of it.",
        _of(LabelledCell.objects.filter(labelled_set__retired_at=None), _OF_CELL),
    ),
    (
        "Cells of it are nominated for a labelled set.",
        _of(Nomination.objects.filter(labelled_set__retired_at=None), _OF_CELL),
    ),
    (
        "Readers are checked on a cell of it.",
        _of(KnownCell.objects.filter(retired_at=None), _OF_CELL),
    ),
    ("A training set holds cells of it.", _of(TrainingCell.objects.filter(left_out=""), _OF_CELL)),
    (
        "A picture of it is being read.",
        _of(ClassificationRun.objects.filter(status__in=OPEN_RUN_STATUSES), "image__case"),
    ),
    (
        "An explanation of a cell of it is being made.",
        _of(
            Explanation.objects.filter(
                status__in=[ExplanationStatus.QUEUED, ExplanationStatus.RUNNING]
            ),
            _OF_CELL,
        ),
    ),
)
"""What speaks for keeping, in the order in which it is told. Referrals end by the clock."""
