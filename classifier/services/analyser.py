"""Bringing an analyser's values to a case."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import policies
from classifier.enums import Analyte, CaseStatus
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import AnalyserResult, Case
from classifier.selectors.analyser import current_results, list_results
from classifier.services.critical import reassess
from classifier.services.transitions import lock_case

if TYPE_CHECKING:
    from accounts.models import User

OPEN = (
    CaseStatus.REGISTERED,
    CaseStatus.IN_CLASSIFICATION,
    CaseStatus.CLASSIFICATION_FAILED,
    CaseStatus.AWAITING_REVIEW,
    CaseStatus.IN_REVIEW,
)
"""Of cases in other states a new value changes nothing but the list of values."""

HIGHEST = {Analyte.LEUKOCYTES: Decimal(1000), Analyte.PLATELETS: Decimal(20000)}
HIGHEST_OTHER = Decimal(100000)


@dataclass(frozen=True, slots=True)
class Measured:
    """One value in the unit of its analyte (`ANALYTE_UNITS`), and what stood in the message."""

    position: int
    analyte: str
    value: Decimal
    measured_at: datetime
    status: str
    sent_code: str
    sent_value: str
    sent_unit: str = ""
    flags: str = ""
    leaves_out_erythroblasts: bool = False


@transaction.atomic
def add_results(
    *,
    case_id: uuid.UUID,
    actor: "User",
    source: str,
    message_id: uuid.UUID,
    results: Sequence[Measured],
) -> list[AnalyserResult]:
    """Keep values of an analyser; the latest final white count becomes the case's.

    A value of the same place of the same message is added once. After signing, the case and its
    report stay as they are and the values wait for a reviewer. Returns the values that are new.

    Raises:
        NotPermitted: the actor doesn't bring results.
        DomainError: a value that can't be, or a time in the future.
    """
    if not policies.can_bring_results(actor):
        raise NotPermitted("You may not add analyser results.")
    case = lock_case(case_id)
    known = set(
        case.analyser_results.filter(message_id=message_id).values_list("position", flat=True)
    )
    added = [
        _keep(case, source, message_id, item) for item in results if item.position not in known
    ]
    if added:
        _audit(case, actor, source, added, before=case.wbc_count)
    return added


def _keep(case: Case, source: str, message_id: uuid.UUID, item: Measured) -> AnalyserResult:
    if not 0 <= item.value <= HIGHEST.get(Analyte(item.analyte), HIGHEST_OTHER):
        raise DomainError(f"The value for {Analyte(item.analyte).label} can't be right.")
    if item.measured_at > timezone.now():
        raise DomainError("The result can't have been measured in the future.")
    return AnalyserResult.objects.create(
        case=case,
        source=source,
        message_id=message_id,
        came_late=case.signed_at is not None,
        **asdict(item),
    )


def _audit(
    case: Case,
    actor: "User",
    source: str,
    added: Sequence[AnalyserResult],
    *,
    before: Decimal | None,
) -> None:
    if is_used := case.status in OPEN:
        _use_white_count(case)
    record(
        actor=actor,
        action="case.results_added",
        target=case,
        before={"wbc_count": before},
        after={
            "wbc_count": case.wbc_count,
            "source": source,
            "values": {item.analyte: item.value for item in added},
            "after_signing": case.is_signed,
        },
        patient=case.patient_id,
    )
    if is_used:
        reassess(case)


def _use_white_count(case: Case) -> None:
    """Give the case its latest final white count, unless a later one was typed in."""
    white = current_results(list_results(case)).get(Analyte.LEUKOCYTES)
    if white and not (case.wbc_measured_at and case.wbc_measured_at > white.measured_at):
        use_white_count(case, white)


def use_white_count(case: Case, white: AnalyserResult) -> None:
    """Let absolute counts rest on this white count. Call with the case's row locked."""
    case.wbc_count, case.wbc_measured_at = white.value, white.measured_at
    case.wbc_excludes_erythroblasts = white.leaves_out_erythroblasts
    case.save(update_fields=["wbc_count", "wbc_measured_at", "wbc_excludes_erythroblasts"])
