"""Versions of the retention rules: proposed, approved by somebody else, retired."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.forms.models import model_to_dict
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import GuardFailed, NotPermitted
from retention import policies
from retention.enums import EVENTS, CountsFrom, RecordType
from retention.models import RetentionRule

if TYPE_CHECKING:
    from accounts.models import User

SAID = (*RetentionRule.KEY, "keep_for", "unit", "minimum", "minimum_source", "source", "version")


@transaction.atomic
def propose_rule(*, actor: "User", values: Mapping[str, Any]) -> RetentionRule:
    """Add a version that rules nothing until somebody else approves it.

    The same proposal twice (a form sent twice) is one.

    Raises:
        NotPermitted: the actor doesn't keep records.
        GuardFailed: another version waits, or the period can't count from that event.
    """
    if not policies.can_keep_records(actor):
        raise NotPermitted("You may not propose retention rules.")
    if CountsFrom(values["counts_from"]) not in EVENTS[RecordType(values["record_type"])]:
        raise GuardFailed("The period of these records can't count from that event.")
    versions = RetentionRule.objects.filter(**{key: values[key] for key in RetentionRule.KEY})
    waiting = next((rule for rule in versions.select_for_update() if rule.is_proposal), None)
    if waiting:
        return _same_or_refused(waiting, actor, values)
    last = versions.aggregate(last=Max("version"))["last"] or 0
    rule = RetentionRule.objects.create(version=last + 1, proposed_by=actor, **values)
    record(actor=actor, action="retention_rule.proposed", target=rule, after=_as_said(rule))
    return rule


@transaction.atomic
def approve_rule(*, actor: "User", rule_id: int) -> RetentionRule:
    """Let a version rule from its first day on; the versions before it end on that day.

    Again is harmless.

    Raises:
        NotPermitted: the actor doesn't approve rules, or proposed this one.
        GuardFailed: it was retired.
    """
    rule = RetentionRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
    if rule.proposed_by_id == actor.pk:
        raise NotPermitted("You proposed this version: somebody else has to approve it.")
    if not policies.can_approve_rule(actor, rule):
        raise NotPermitted("You may not approve retention rules.")
    if rule.retired_on:
        raise GuardFailed("This version was retired: propose a new one.")
    if rule.is_approved:
        return rule
    rule.approved_by, rule.approved_at = actor, timezone.now()
    rule.save(update_fields=["approved_by", "approved_at"])
    record(actor=actor, action="retention_rule.approved", target=rule, after=_as_said(rule))
    for earlier in _earlier(rule).select_for_update(of=("self",)):
        because = f"Version {rule.version} was approved."
        _retire(earlier, actor, on=rule.effective_from, reason=because)
    return rule


@transaction.atomic
def retire_rule(*, actor: "User", rule_id: int, reason: str) -> RetentionRule:
    """End a version from today on, or withdraw a proposal. Again is harmless.

    One person is enough: without a rule nothing is disposed of.

    Raises:
        NotPermitted: the actor doesn't keep records.
        GuardFailed: no reason is given.
    """
    if not policies.can_keep_records(actor):
        raise NotPermitted("You may not retire retention rules.")
    rule = RetentionRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    today = timezone.localdate()
    if rule.retired_on is None or rule.retired_on > today:
        _retire(rule, actor, on=today, reason=reason.strip())
    return rule


def _earlier(rule: RetentionRule) -> "QuerySet[RetentionRule]":
    same = {key: getattr(rule, key) for key in RetentionRule.KEY}
    return RetentionRule.objects.filter(**same, version__lt=rule.version, retired_on=None)


def _same_or_refused(
    waiting: RetentionRule, actor: "User", values: Mapping[str, Any]
) -> RetentionRule:
    is_same = all(getattr(waiting, name) == value for name, value in values.items())
    if waiting.proposed_by_id == actor.pk and is_same:
        return waiting
    raise GuardFailed(
        f"Version {waiting.version} of this rule waits for approval: "
        "have it approved or withdrawn first."
    )


def _retire(rule: RetentionRule, actor: "User", *, on: date, reason: str) -> None:
    rule.retired_by, rule.retired_at = actor, timezone.now()
    rule.retired_on, rule.retired_because = on, reason
    rule.save(update_fields=["retired_by", "retired_at", "retired_on", "retired_because"])
    record(
        actor=actor,
        action="retention_rule.retired",
        target=rule,
        before=_as_said(rule),
        after={"retired_on": on},
        reason=reason,
    )


def _as_said(rule: RetentionRule) -> dict[str, Any]:
    return model_to_dict(rule, fields=SAID) | {"effective_from": rule.effective_from}
