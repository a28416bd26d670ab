"""The rule that candidates are judged by: proposed by one person, approved by another."""

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import GuardFailed, NotPermitted
from learning import policies
from learning.models import AcceptanceRule
from ml.report.noninferiority import Rule

if TYPE_CHECKING:
    from accounts.models import User


def rule_in_force() -> AcceptanceRule:
    """The latest version that was approved, or what the product came with."""
    holding = Q(approved_by__isnull=False) | Q(proposed_by=None)
    return AcceptanceRule.objects.filter(holding).latest("version")


def as_judged(rule: AcceptanceRule) -> Rule:
    """The rule in shares rather than points."""
    return Rule(margin=float(rule.margin_points / 100), least_cells=rule.least_cells)


@transaction.atomic
def propose_rule(
    *, margin_points: Decimal, least_cells: int, source: str, actor: "User"
) -> AcceptanceRule:
    """Add a version that judges nothing until somebody else approves it.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: another proposal waits.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not propose the rule for accepting models.")
    versions = AcceptanceRule.objects.select_for_update()
    if any(each.is_proposal for each in versions):
        raise GuardFailed("A proposal waits already: have it approved or withdrawn first.")
    last = AcceptanceRule.objects.aggregate(last=Max("version"))["last"] or 0
    rule = AcceptanceRule.objects.create(
        version=last + 1,
        margin_points=margin_points,
        least_cells=least_cells,
        source=source,
        proposed_by=actor,
    )
    record(
        actor=actor,
        action="acceptance_rule.proposed",
        target=rule,
        after={"margin_points": margin_points, "least_cells": least_cells},
    )
    return rule


@transaction.atomic
def approve_rule(*, rule_id: int, actor: "User") -> AcceptanceRule:
    """Let a proposal judge from now on. Again is harmless.

    Raises:
        NotPermitted: the actor approves no limits, or proposed it.
        GuardFailed: it was withdrawn.
    """
    rule = AcceptanceRule.objects.select_for_update().get(pk=rule_id)
    if not policies.can_approve_rule(actor, rule):
        raise NotPermitted("A pathologist who did not propose the rule approves it.")
    if rule.retired_at or not rule.proposed_by_id:
        raise GuardFailed("This version is no proposal.")
    if rule.is_proposal:
        rule.approved_by, rule.approved_at = actor, timezone.now()
        rule.save(update_fields=["approved_by", "approved_at"])
        record(actor=actor, action="acceptance_rule.approved", target=rule)
    return rule


@transaction.atomic
def withdraw_rule(*, rule_id: int, actor: "User") -> AcceptanceRule:
    """Take back a proposal. Again is harmless.

    Raises:
        NotPermitted: the actor may neither propose nor approve it.
    """
    rule = AcceptanceRule.objects.select_for_update().get(pk=rule_id)
    if not (policies.can_manage_models(actor) or policies.can_approve_rule(actor, rule)):
        raise NotPermitted("You may not withdraw this proposal.")
    if rule.is_proposal:
        rule.retired_at = timezone.now()
        rule.save(update_fields=["retired_at"])
        record(actor=actor, action="acceptance_rule.withdrawn", target=rule)
    return rule
