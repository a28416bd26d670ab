"""Comparisons of a candidate with the version in use on the same cells, and their overriding."""

import uuid
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import ModelVersion
from learning import policies
from learning.enums import WorkStatus
from learning.models import Comparison, Evaluation, RefusalOverride
from learning.services.figures import cells_of, class_order, side_of
from learning.services.rules import as_judged, rule_in_force
from ml.report.noninferiority import judge

if TYPE_CHECKING:
    from accounts.models import User


def compare(*, version_id: int, set_id: uuid.UUID, actor: "User") -> Comparison:
    """Judge a candidate against the version in use on one set, by the rule in force.

    The same two on the same set by the same rule are compared once.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: nothing else is in use, or one of the two has not read the set.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")
    incumbent = ModelVersion.objects.filter(is_active=True).exclude(pk=version_id).first()
    if incumbent is None:
        raise GuardFailed("Nothing else is in use to compare with.")
    evaluation = _evaluated(version_id, set_id)
    other = _evaluated(incumbent.pk, set_id)
    rule = rule_in_force()
    known = Comparison.objects.filter(evaluation=evaluation, other_evaluation=other, rule=rule)
    found = known.first()
    if found:
        return found
    names = class_order([evaluation, other])
    table = judge(
        side_of(evaluation, names),
        side_of(other, names),
        cells_of(evaluation, names),
        as_judged(rule),
    )
    made = Comparison(
        candidate=evaluation.version,
        incumbent=incumbent,
        evaluation=evaluation,
        other_evaluation=other,
        rule=rule,
        table=table,
        is_refused=table["is_refused"],
        made_by=actor,
    )
    return _keep(made, actor)


@transaction.atomic
def override_refusal(*, comparison_id: int, reason: str, actor: "User") -> RefusalOverride:
    """Let a refused candidate be promoted all the same, by somebody else. Once.

    Raises:
        NotPermitted: the actor neither manages models nor approves limits.
        GuardFailed: it was not refused, or no reason is given.
    """
    if not policies.can_override_refusals(actor):
        raise NotPermitted("You may not override a refusal.")
    comparison = Comparison.objects.select_for_update().get(pk=comparison_id)
    if not comparison.is_refused or not reason.strip():
        raise GuardFailed("Only a refusal is overridden, and for a reason.")
    override, is_new = RefusalOverride.objects.get_or_create(
        comparison=comparison, defaults={"reason": reason.strip(), "by": actor}
    )
    if is_new:
        record(
            actor=actor,
            action="model.refusal_overridden",
            target=comparison.candidate,
            reason=reason,
            after={"comparison": comparison.pk},
        )
    return override


@transaction.atomic
def _keep(made: Comparison, actor: "User") -> Comparison:
    made.save(force_insert=True)
    record(
        actor=actor,
        action="model.refused" if made.is_refused else "model.compared",
        target=made.candidate,
        after={
            "comparison": made.pk,
            "against": str(made.incumbent),
            "set": made.evaluation.labelled_set.digest,
            "rule": made.rule.version,
            "reasons": made.table["reasons"],
        },
    )
    return made


def _evaluated(version_id: int, set_id: uuid.UUID) -> Evaluation:
    found = Evaluation.objects.filter(
        version_id=version_id, labelled_set_id=set_id, status=WorkStatus.DONE
    ).select_related("version", "labelled_set")
    evaluation = found.first()
    if evaluation is None:
        version = ModelVersion.objects.get(pk=version_id)
        raise GuardFailed(f"{version} has not read this set yet: evaluate it first.")
    return evaluation
