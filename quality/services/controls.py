"""Control materials, what is expected of them, and the rules: set by named people, for good."""

from collections.abc import Collection, Mapping
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from classifier.exceptions import NotPermitted
from quality import policies
from quality.analytes import LEAST_RUNS, Expected
from quality.enums import TargetBasis
from quality.exceptions import ControlRefused
from quality.models import ControlMaterial, ControlRules, ControlTarget, ControlTargetValue
from quality.selectors.controls import established_from, model_in_use
from quality.westgard import REJECTS

LONGEST_HOURS = 168


def add_material(
    *, actor: User, name: str, lot: str, description: str = "", expires_on: date | None = None
) -> ControlMaterial:
    """Keep a control from now on.

    Raises:
        NotPermitted: the actor doesn't prepare controls.
        ControlRefused: this lot is kept already.
    """
    _check(actor)
    try:
        with transaction.atomic():
            material = ControlMaterial.objects.create(
                name=name.strip(), lot=lot.strip(), description=description.strip(),
                expires_on=expires_on, added_by=actor,
            )  # fmt: skip
            record(
                actor=actor, action="control.material_added", target=material,
                after={"expires_on": expires_on, "description": material.description},
            )  # fmt: skip
    except IntegrityError as error:
        raise ControlRefused("A control of this name and lot is kept already.") from error
    return material


@transaction.atomic
def retire_material(*, actor: User, material_id: int, reason: str) -> ControlMaterial:
    """Take a control out of use; its charts stay. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't prepare controls.
        ControlRefused: no reason is given.
    """
    _check(actor)
    _need(reason)
    material = ControlMaterial.objects.select_for_update(of=("self",)).get(pk=material_id)
    if material.retired_at is None:
        material.retired_by, material.retired_at = actor, timezone.now()
        material.retired_because = reason.strip()
        material.save(update_fields=["retired_by", "retired_at", "retired_because"])
        record(actor=actor, action="control.material_retired", target=material, reason=reason)
    return material


def propose_values(
    *, actor: User, material_id: int, values: Mapping[str, Expected], reason: str
) -> ControlTarget:
    """Propose means and SDs that the laboratory knows; they judge once somebody else approves.

    Raises:
        NotPermitted: the actor doesn't prepare controls.
        ControlRefused: nothing is expected, an SD isn't above zero, no reason, or one waits.
    """
    if not values:
        raise ControlRefused("Enter mean and SD of at least one figure.")
    if any(each.sd <= 0 for each in values.values()):
        raise ControlRefused("A standard deviation must be above zero.")
    return _propose(actor, material_id, values, reason, TargetBasis.ENTERED, None)


def propose_established(
    *, actor: User, material_id: int, analytes: Collection[str], reason: str
) -> ControlTarget:
    """Propose what the runs of the model in use gave for these analytes.

    Raises:
        NotPermitted: the actor doesn't prepare controls.
        ControlRefused: there are too few runs, nothing is chosen, no reason, or one waits.
    """
    model = model_in_use()
    material = ControlMaterial.objects.get(pk=material_id)
    found = established_from(material, model) if model else None
    if found is None or not found.is_enough:
        raise ControlRefused(f"A target is established from at least {LEAST_RUNS} runs.")
    values = {name: each for name, each in found.values.items() if name in analytes}
    if not values:
        raise ControlRefused("Choose at least one figure.")
    return _propose(actor, material_id, values, reason, TargetBasis.ESTABLISHED, found.runs)


@transaction.atomic
def approve_target(*, actor: User, target_id: int) -> ControlTarget:
    """Let a target judge the runs from now on. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't approve limits, or proposed this target.
        ControlRefused: it was withdrawn.
    """
    target = _lock(target_id)
    if not policies.can_approve_target(actor, target):
        raise NotPermitted("Somebody else, who approves limits, has to approve this target.")
    if target.withdrawn_at is not None:
        raise ControlRefused("This target was withdrawn: propose a new one.")
    if target.approved_at is None:
        target.approved_by, target.approved_at = actor, timezone.now()
        target.save(update_fields=["approved_by", "approved_at"])
        record(actor=actor, action="control.target_approved", target=target, after=_as_said(target))
    return target


@transaction.atomic
def withdraw_target(*, actor: User, target_id: int) -> ControlTarget:
    """Take back a proposal. Again is harmless.

    Raises:
        NotPermitted: the actor neither proposed it nor approves limits.
        ControlRefused: it judges already.
    """
    target = _lock(target_id)
    if not policies.can_withdraw_target(actor, target):
        raise NotPermitted("You may not withdraw this target.")
    if target.approved_at is not None:
        raise ControlRefused("This target was approved: propose another to replace it.")
    if target.withdrawn_at is None:
        target.withdrawn_by, target.withdrawn_at = actor, timezone.now()
        target.save(update_fields=["withdrawn_by", "withdrawn_at"])
        record(actor=actor, action="control.target_withdrawn", target=target)
    return target


@transaction.atomic
def set_rules(
    *,
    actor: User,
    rules: Collection[str],
    due_hours: int | None,
    missing_stops: bool,
    reason: str,
) -> ControlRules:
    """Have these rules reject runs from now on, and a control be due so often (None: never).

    Raises:
        NotPermitted: the actor doesn't prepare controls.
        ControlRefused: a rule is unknown, the hours can't be, or no reason is given.
    """
    _check(actor)
    _need(reason)
    if set(rules) - set(REJECTS):
        raise ControlRefused("There is no such rule.")
    if due_hours is not None and not 1 <= due_hours <= LONGEST_HOURS:
        raise ControlRefused(f"A control is due every 1 to {LONGEST_HOURS} hours.")
    if missing_stops and due_hours is None:
        raise ControlRefused("Say how often a control is due before a missing one can stop.")
    before = ControlRules.objects.first()
    made = ControlRules.objects.create(
        rules=[rule for rule in REJECTS if rule in rules], due_hours=due_hours,
        missing_stops=missing_stops, reason=reason.strip(), set_by=actor,
    )  # fmt: skip
    record(
        actor=actor, action="control.rules_set", target=made, reason=reason,
        before=_rules_said(before) if before else None, after=_rules_said(made),
    )  # fmt: skip
    return made


@transaction.atomic
def _propose(
    actor: User,
    material_id: int,
    values: Mapping[str, Expected],
    reason: str,
    basis: TargetBasis,
    runs: int | None,
) -> ControlTarget:
    _check(actor)
    _need(reason)
    material = ControlMaterial.objects.select_for_update(of=("self",)).get(pk=material_id)
    if material.targets.filter(approved_at=None, withdrawn_at=None).exists():
        raise ControlRefused("A target waits for approval: have it approved or withdrawn first.")
    last = material.targets.aggregate(last=Max("number"))["last"] or 0
    target = ControlTarget.objects.create(
        material=material, number=last + 1, basis=basis, runs=runs, reason=reason.strip(),
        proposed_by=actor,
    )  # fmt: skip
    ControlTargetValue.objects.bulk_create(
        ControlTargetValue(target=target, analyte=name, mean=each.mean, sd=each.sd)
        for name, each in values.items()
    )
    record(
        actor=actor, action="control.target_proposed", target=target, reason=reason,
        after=_as_said(target),
    )  # fmt: skip
    return target


def _lock(target_id: int) -> ControlTarget:
    targets = ControlTarget.objects.select_for_update(of=("self",))
    return targets.select_related("material").get(pk=target_id)


def _check(actor: User) -> None:
    if not policies.can_prepare_controls(actor):
        raise NotPermitted("You may not prepare controls.")


def _need(reason: str) -> None:
    if not reason.strip():
        raise ControlRefused("Give a reason.")


def _as_said(target: ControlTarget) -> dict[str, object]:
    values = {each.analyte: [each.mean, each.sd] for each in target.values.all()}
    return {"basis": target.basis, "runs": target.runs, "values": values}


def _rules_said(rules: ControlRules) -> dict[str, object]:
    return {
        "rules": rules.rules, "due_hours": rules.due_hours, "missing_stops": rules.missing_stops
    }  # fmt: skip
