"""Fixtures: cases with critical results, and calls about them."""

import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.enums import CallChannel, CallOutcome
from classifier.models import Case, CriticalAlert, CriticalCall
from classifier.services.critical_calls import Attempt, record_call, refresh_alert
from classifier.services.reviews import open_review
from tests.reviewing import MakeCase

Call = Callable[..., CriticalCall]


def alert_of(case: Case) -> CriticalAlert:
    """Return the open alert of a case."""
    return CriticalAlert.objects.get(case=case, closed_at=None)


def make_attempt(**changed: Any) -> Attempt:
    """Return a call that was read back, with what the test changes."""
    values: dict[str, Any] = {
        "channel": CallChannel.PHONE,
        "outcome": CallOutcome.READ_BACK,
        "called_at": timezone.now(),
        "recipient_name": "Dr. Rossi",
        "recipient_role": "Physician on ward 3",
    }
    return Attempt(**values | changed)


@pytest.fixture
def call(pathologist: User) -> Call:
    """Record a call about the present findings of a case, by the pathologist if nobody else."""

    def record(case: Case, actor: User | None = None, **changed: Any) -> CriticalCall:
        return record_call(
            case_id=case.pk,
            actor=actor or pathologist,
            call_id=uuid.uuid4(),
            snapshot_sha256=alert_of(case).snapshots.latest("pk").sha256,
            attempt=make_attempt(**changed),
        )

    return record


@pytest.fixture
def counted_case(classified_case: MakeCase, pathologist: User) -> Callable[..., Case]:
    """Return a maker of a case with a white count, its critical results assessed."""

    def make(wbc: str, answers: Sequence[str], *, in_review: bool = False) -> Case:
        case = classified_case(answers)
        Case.objects.filter(pk=case.pk).update(wbc_count=Decimal(wbc))
        refresh_alert(case.pk)
        case.refresh_from_db()
        if in_review:
            open_review(case_id=case.pk, actor=pathologist)
            case.refresh_from_db()
        return case

    return make
