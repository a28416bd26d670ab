"""Taking an analyser's values that came after signing into an amendment of the report."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier import policies
from classifier.enums import Analyte, CaseStatus
from classifier.exceptions import EditConflict, NotPermitted, TransitionRefused
from classifier.models import AnalyserResult, Case, Review, TakenResult
from classifier.selectors.analyser import list_late_results, list_results
from classifier.services.analyser import use_white_count
from classifier.services.critical import reassess
from classifier.services.reviews import amend, find_open_review
from classifier.services.transitions import lock_case

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def amend_with_results(
    *, case_id: uuid.UUID, actor: "User", reason: str, result_ids: Sequence[uuid.UUID]
) -> Review:
    """Open a signed case for correction and take late values along, all of it or nothing."""
    review = amend(case_id=case_id, actor=actor, reason=reason)
    if result_ids:
        take_results(case_id=case_id, actor=actor, result_ids=result_ids)
    return review


@transaction.atomic
def take_results(
    *, case_id: uuid.UUID, actor: "User", result_ids: Sequence[uuid.UUID]
) -> list[AnalyserResult]:
    """Let late values count from now on: a white count carries the absolute counts.

    What was taken already is passed over, so a form sent twice takes once. Returns what is new.

    Raises:
        TransitionRefused, NotPermitted: the case isn't open for correction with this person.
        EditConflict: a value isn't among the late ones, or a newer one has come.
    """
    case = lock_case(case_id)
    review = find_open_review(case)
    if case.status != CaseStatus.AMENDING or review is None:
        raise TransitionRefused("Open the signed case for correction first.")
    if not policies.can_edit_review(actor, case):
        raise NotPermitted(f"{review.reviewer.name_with_title} has this case open, not you.")
    results = list_results(case)
    late = {item.pk: item for item in list_late_results(results)}
    taken = {item.pk for item in results if item.came_late and item.stands}
    wanted = [pk for pk in dict.fromkeys(result_ids) if pk not in taken]
    if not late.keys() >= set(wanted):
        raise EditConflict("The analyser's values have changed since; look at them again.")
    chosen = [late[pk] for pk in wanted]
    if chosen:
        _take(case, review, actor, chosen)
    return chosen


def _take(case: Case, review: Review, actor: "User", chosen: Sequence[AnalyserResult]) -> None:
    before: Decimal | None = case.wbc_count
    for item in chosen:
        TakenResult.objects.create(result=item, review=review, taken_by=actor)
        if item.analyte == Analyte.LEUKOCYTES:
            use_white_count(case, item)
    record(
        actor=actor,
        action="case.results_taken",
        target=case,
        before={"wbc_count": before},
        after={
            "wbc_count": case.wbc_count,
            "values": {item.analyte: item.value for item in chosen},
            "sources": sorted({item.source for item in chosen}),
        },
        reason=case.status_reason,
        patient=case.patient_id,
    )
    reassess(case)
