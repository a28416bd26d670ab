"""The laboratory's limits: proposed, approved by somebody else, retired; never edited."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import InternalError, transaction
from django.utils import timezone

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import CriticalLimit, DeltaLimit, ReferenceInterval
from classifier.services.limits import approve_limit, propose_limit, retire_limit
from tests.factories import UserFactory


@pytest.fixture
def colleague(db: None) -> User:
    return UserFactory.create(role=Role.PATHOLOGIST, full_name="Cleo Colleague")


def neutrophils(**changed: Any) -> dict[str, Any]:
    """Return the figures of a critical limit of neutrophils."""
    values: dict[str, Any] = {
        "analyte": "neutrophil",
        "rule": "outside",
        "quantity": "absolute",
        "low": Decimal("0.8"),
        "high": None,
        "known_days": None,
        "sex": "",
        "age_unit": "years",
        "from_age": 0,
        "to_age": None,
        "source": "Our own data, 2026",
        "effective_from": timezone.localdate(),
    }
    return values | changed


def propose(actor: User, **changed: Any) -> CriticalLimit:
    limit = propose_limit(kind=CriticalLimit, actor=actor, values=neutrophils(**changed))
    assert isinstance(limit, CriticalLimit)
    return limit


class TestProposing:
    def test_adds_the_next_version_that_judges_nothing_yet(self, administrator: User) -> None:
        limit = propose(administrator)
        assert (limit.version, limit.is_proposal) == (2, True)
        assert limit not in CriticalLimit.objects.in_force(timezone.localdate())
        assert AuditEvent.objects.get(action="limit.proposed").actor == administrator

    def test_the_same_form_twice_is_one_proposal(self, administrator: User) -> None:
        assert propose(administrator) == propose(administrator)

    def test_a_second_proposal_waits_for_the_first(
        self, administrator: User, pathologist: User
    ) -> None:
        propose(administrator)
        with pytest.raises(GuardFailed, match="waits for approval"):
            propose(pathologist, low=Decimal("0.9"))

    def test_another_band_of_ages_is_another_limit(self, administrator: User) -> None:
        propose(administrator)
        assert propose(administrator, from_age=16).version == 1

    def test_technicians_propose_nothing(self, technician: User) -> None:
        with pytest.raises(NotPermitted):
            propose(technician)


class TestApproving:
    def test_lets_it_judge_and_ends_the_version_before(
        self, administrator: User, pathologist: User
    ) -> None:
        first = CriticalLimit.objects.get(analyte="neutrophil")
        limit = propose(administrator)
        for _ in range(2):
            approve_limit(kind=CriticalLimit, limit_id=limit.pk, actor=pathologist)
        limit.refresh_from_db()
        first.refresh_from_db()
        assert (limit.approved_by, limit.is_proposal) == (pathologist, False)
        assert first.retired_on == limit.effective_from
        today = CriticalLimit.objects.in_force(timezone.localdate()).filter(analyte="neutrophil")
        assert list(today) == [limit]
        yesterday = timezone.localdate() - timedelta(days=1)
        before = CriticalLimit.objects.in_force(yesterday).filter(analyte="neutrophil")
        assert list(before) == [first]
        assert AuditEvent.objects.filter(action="limit.approved").count() == 1

    def test_nobody_approves_what_they_proposed(self, pathologist: User, colleague: User) -> None:
        limit = propose(pathologist)
        with pytest.raises(NotPermitted, match="somebody else"):
            approve_limit(kind=CriticalLimit, limit_id=limit.pk, actor=pathologist)
        approve_limit(kind=CriticalLimit, limit_id=limit.pk, actor=colleague)

    def test_only_who_holds_the_duty_approves(self, administrator: User) -> None:
        limit = CriticalLimit.objects.get(analyte="blast")
        with pytest.raises(NotPermitted):
            approve_limit(kind=CriticalLimit, limit_id=limit.pk, actor=administrator)

    @pytest.mark.parametrize("kind", [ReferenceInterval, CriticalLimit, DeltaLimit])
    def test_what_came_with_the_product_can_be_approved_as_it_is(
        self, kind: Any, pathologist: User
    ) -> None:
        limit = kind.objects.first()
        approve_limit(kind=kind, limit_id=limit.pk, actor=pathologist)
        limit.refresh_from_db()
        assert limit.is_approved


class TestRetiring:
    def test_ends_it_today_for_a_reason(self, pathologist: User) -> None:
        limit = CriticalLimit.objects.get(analyte="wbc")
        for _ in range(2):
            retire_limit(
                kind=CriticalLimit, limit_id=limit.pk, actor=pathologist, reason="Not ours"
            )
        limit.refresh_from_db()
        assert (limit.retired_on, limit.retired_because) == (timezone.localdate(), "Not ours")
        assert limit not in CriticalLimit.objects.in_force(timezone.localdate())
        assert AuditEvent.objects.get(action="limit.retired").reason == "Not ours"

    def test_needs_a_reason(self, pathologist: User) -> None:
        limit = CriticalLimit.objects.get(analyte="wbc")
        with pytest.raises(GuardFailed, match="reason"):
            retire_limit(kind=CriticalLimit, limit_id=limit.pk, actor=pathologist, reason=" ")

    def test_proposers_withdraw_their_own_and_nothing_else(self, administrator: User) -> None:
        limit = propose(administrator)
        retire_limit(kind=CriticalLimit, limit_id=limit.pk, actor=administrator, reason="A slip")
        other = CriticalLimit.objects.get(analyte="wbc")
        with pytest.raises(NotPermitted):
            retire_limit(kind=CriticalLimit, limit_id=other.pk, actor=administrator, reason="No")

    def test_a_retired_version_is_not_approved_again(
        self, administrator: User, pathologist: User
    ) -> None:
        limit = propose(administrator)
        retire_limit(kind=CriticalLimit, limit_id=limit.pk, actor=pathologist, reason="No")
        with pytest.raises(GuardFailed, match="retired"):
            approve_limit(kind=CriticalLimit, limit_id=limit.pk, actor=pathologist)


@pytest.mark.parametrize(
    ("kind", "figures"),
    [
        (ReferenceInterval, {"low": Decimal("1.9")}),
        (CriticalLimit, {"source": "Another"}),
        (DeltaLimit, {"percent": Decimal(60)}),
    ],
)
def test_the_database_lets_nobody_edit_or_delete_a_version(
    db: None, kind: Any, figures: dict[str, Any]
) -> None:
    first = kind.objects.first()
    with pytest.raises(InternalError), transaction.atomic():
        kind.objects.filter(pk=first.pk).update(**figures)
    with pytest.raises(InternalError), transaction.atomic():
        first.delete()
