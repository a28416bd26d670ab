"""Retention rules: proposed by one, approved by another, retired; never edited."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed, NotPermitted
from retention.enums import RecordType, TimeUnit
from retention.forms import RuleForm
from retention.models import RetentionRule
from retention.periods import Period
from retention.selectors.rules import rules_in_force
from retention.services.rules import approve_rule, propose_rule, retire_rule
from tests.retention.steps import rule, rule_values

KIND = RecordType.FIELD_IMAGES


def in_force() -> list[RetentionRule]:
    return list(rules_in_force(KIND, timezone.localdate()))


@pytest.mark.django_db
def test_the_product_comes_with_no_rule() -> None:
    assert not RetentionRule.objects.exists()


def test_a_proposal_rules_nothing(administrator: User) -> None:
    first, again = (propose_rule(actor=administrator, values=rule_values()) for _ in range(2))
    assert (first, first.is_proposal) == (again, True)
    assert in_force() == []
    assert AuditEvent.objects.get(action="retention_rule.proposed").actor == administrator


def test_a_second_proposal_waits_for_the_first(administrator: User, keeper: User) -> None:
    propose_rule(actor=administrator, values=rule_values())
    with pytest.raises(GuardFailed, match="waits for approval"):
        propose_rule(actor=keeper, values=rule_values(keep_for=5))


def test_somebody_else_approves(administrator: User, keeper: User, pathologist: User) -> None:
    proposed = propose_rule(actor=administrator, values=rule_values())
    with pytest.raises(NotPermitted, match="somebody else"):
        approve_rule(actor=administrator, rule_id=proposed.pk)
    for _ in range(2):
        approve_rule(actor=pathologist, rule_id=proposed.pk)
    assert in_force() == [proposed]
    later = rule(administrator, keeper, keep_for=12)
    assert in_force() == [later]
    assert AuditEvent.objects.filter(action="retention_rule.approved").count() == 2


def test_retiring_needs_a_reason_and_one_person(administrator: User, keeper: User) -> None:
    approved = rule(administrator, keeper)
    with pytest.raises(GuardFailed, match="reason"):
        retire_rule(actor=keeper, rule_id=approved.pk, reason=" ")
    for _ in range(2):
        retire_rule(actor=keeper, rule_id=approved.pk, reason="The law changed.")
    assert in_force() == []
    assert AuditEvent.objects.filter(action="retention_rule.retired").count() == 1


@pytest.mark.parametrize("who", ["technician", "pathologist"])
def test_others_propose_and_retire_nothing(
    administrator: User, who: str, request: pytest.FixtureRequest
) -> None:
    actor = request.getfixturevalue(who)
    proposed = propose_rule(actor=administrator, values=rule_values())
    with pytest.raises(NotPermitted):
        propose_rule(actor=actor, values=rule_values())
    with pytest.raises(NotPermitted):
        retire_rule(actor=actor, rule_id=proposed.pk, reason="No.")


def test_technicians_approve_nothing(administrator: User, technician: User) -> None:
    proposed = propose_rule(actor=administrator, values=rule_values())
    with pytest.raises(NotPermitted):
        approve_rule(actor=technician, rule_id=proposed.pk)


def test_the_database_refuses_edits_and_the_proposers_approval(administrator: User) -> None:
    proposed = propose_rule(actor=administrator, values=rule_values())
    versions = RetentionRule.objects.filter(pk=proposed.pk)
    with pytest.raises(InternalError), transaction.atomic():
        versions.update(keep_for=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        versions.update(approved_by=administrator, approved_at=timezone.now())


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"keep_for": 1, "minimum": 2, "minimum_source": "42 CFR 493.1105"}, "keep_for"),
        ({"keep_for": 0}, "keep_for"),
        ({"keep_for": 2026}, "keep_for"),
        ({"minimum": 2}, "minimum_source"),
        ({"counts_from": "written"}, "counts_from"),
        ({"record_type": "audit_trail"}, "counts_from"),
        ({"source": ""}, "source"),
        ({"effective_from": date(2020, 1, 1)}, "effective_from"),
    ],
)
@pytest.mark.django_db
def test_the_form_says_what_is_wrong(changed: dict[str, Any], field: str) -> None:
    form = RuleForm(rule_values(**{"minimum": "", **changed}))
    assert field in form.errors


@pytest.mark.parametrize(
    ("period", "day", "before"),
    [
        (Period(1, TimeUnit.YEARS), date(2028, 2, 29), date(2027, 2, 28)),
        (Period(10, TimeUnit.YEARS), date(2026, 11, 22), date(2016, 11, 22)),
        (Period(3, TimeUnit.MONTHS), date(2026, 1, 31), date(2025, 10, 31)),
        (Period(1, TimeUnit.MONTHS), date(2026, 3, 31), date(2026, 2, 28)),
        (Period(30, TimeUnit.DAYS), date(2026, 3, 1), date(2026, 1, 30)),
    ],
)
def test_periods_follow_the_calendar(period: Period, day: date, before: date) -> None:
    assert period.before(day) == before


def test_a_rule_of_tomorrow_rules_tomorrow(administrator: User, keeper: User) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    rule(administrator, keeper, effective_from=tomorrow)
    assert in_force() == []
    assert rules_in_force(KIND, tomorrow).count() == 1
