"""The retention rules as the pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from notifications.services.reading import KEPT as NOTICES_KEPT
from retention import policies
from retention.enums import DISPOSABLE, RecordType
from retention.models import RetentionRule

if TYPE_CHECKING:
    from accounts.models import User

BY_PROPOSAL = "What is past it is disposed of once somebody proposes it and somebody else approves."
UNRULED = "Kept without end: no rule is in force."
STAYS = "Kept without end. A rule can be stated, and nothing acts on it."


@dataclass(frozen=True, slots=True)
class RuleView:
    """A version with its standing, and what the reader may do with it."""

    rule: RetentionRule
    standing: str
    may_approve: bool
    may_retire: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of records with the versions that rule, will rule or wait; and what becomes of it."""

    record_type: RecordType
    handling: str
    is_ruled: bool
    rules: tuple[RuleView, ...]


def rules_in_force(record_type: RecordType, day: date) -> "QuerySet[RetentionRule]":
    """Return the approved rules of a kind of records on a day, one for each event."""
    return RetentionRule.objects.in_force(day).filter(record_type=record_type)


def list_sections(user: "User") -> tuple[Section, ...]:
    """Return every kind of records with its rules of today and those to come."""
    views = list(_views(user, _with_people()))
    now = [view for view in views if view.standing in {"in force", "approved", "proposed"}]
    return tuple(_section(kind, now) for kind in RecordType)


def get_rule(rule_id: int) -> RetentionRule:
    """Return a version, else Http404."""
    return get_object_or_404(_with_people(), pk=rule_id)


def list_versions(user: "User", rule: RetentionRule) -> tuple[RuleView, ...]:
    """Return all versions of a rule, the latest first."""
    same = {key: getattr(rule, key) for key in RetentionRule.KEY}
    return tuple(_views(user, _with_people().filter(**same)))


def _section(kind: RecordType, views: Sequence[RuleView]) -> Section:
    of_kind = tuple(view for view in views if view.rule.record_type == kind)
    is_ruled = any(view.standing == "in force" for view in of_kind)
    return Section(kind, _handling(kind, is_ruled=is_ruled), is_ruled, of_kind)


def _handling(kind: RecordType, *, is_ruled: bool) -> str:
    if kind in DISPOSABLE:
        return BY_PROPOSAL if is_ruled else UNRULED
    if kind == RecordType.NOTICES:
        after = "once past the rule" if is_ruled else f"after {NOTICES_KEPT.days} days"
        return f"Removed by themselves {after}: what they tell stands in the audit trail."
    return STAYS


def _with_people() -> "QuerySet[RetentionRule]":
    return RetentionRule.objects.select_related("proposed_by", "approved_by", "retired_by")


def _views(user: "User", rules: Iterable[RetentionRule]) -> Iterable[RuleView]:
    today = timezone.localdate()
    for rule in rules:
        ends = rule.retired_on is not None and rule.retired_on <= today
        yield RuleView(
            rule=rule,
            standing=_standing(rule, today),
            may_approve=rule.is_proposal and policies.can_approve_rule(user, rule),
            may_retire=not ends and policies.can_keep_records(user),
        )


def _standing(rule: RetentionRule, today: date) -> str:
    if rule.is_proposal:
        return "proposed"
    if rule.retired_on and rule.retired_on <= today:
        return "retired" if rule.is_approved else "withdrawn"
    return "in force" if rule.effective_from <= today else "approved"
