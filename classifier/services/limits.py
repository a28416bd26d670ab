"""Versions of the laboratory's limits: proposed, approved by somebody else, retired."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.forms.models import model_to_dict
from django.utils import timezone

from accounts.audit import record
from classifier import dispatch, policies
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import CriticalLimit, DeltaLimit, ReferenceInterval

if TYPE_CHECKING:
    from accounts.models import User

Limit = ReferenceInterval | CriticalLimit | DeltaLimit

STEPS = frozenset({"approved_by", "approved_at", "retired_by", "retired_at", "retired_on"})


@transaction.atomic
def propose_limit(*, kind: type[Limit], actor: "User", values: Mapping[str, Any]) -> Limit:
    """Add a new version of a limit, which judges nothing until somebody else approves it.

    The same proposal twice (a form sent twice) is one.

    Raises:
        NotPermitted: the actor neither manages the laboratory nor approves limits.
        GuardFailed: another version of the same limit waits for approval already.
    """
    if not policies.can_propose_limits(actor):
        raise NotPermitted("You may not propose limits.")
    versions = _versions(kind, values)
    waiting = next((limit for limit in versions.select_for_update() if limit.is_proposal), None)
    if waiting:
        if waiting.proposed_by_id == actor.pk and _same(waiting, values):
            return waiting
        raise GuardFailed(
            f"Version {waiting.version} of this limit waits for approval: "
            "have it approved or withdrawn first."
        )
    last = versions.aggregate(last=Max("version"))["last"] or 0
    limit = kind.objects.create(version=last + 1, proposed_by=actor, **values)
    record(actor=actor, action="limit.proposed", target=limit, after=_as_said(limit))
    return limit


@transaction.atomic
def approve_limit(*, kind: type[Limit], limit_id: int, actor: "User") -> Limit:
    """Let a version judge from its first day on; the versions before it end on that day.

    Again is harmless.

    Raises:
        NotPermitted: the actor doesn't approve limits, or proposed this one.
        GuardFailed: it was retired.
    """
    if not policies.can_approve_limits(actor):
        raise NotPermitted("You may not approve limits.")
    limit = kind.objects.select_for_update().get(pk=limit_id)
    if limit.proposed_by_id == actor.pk:
        raise NotPermitted("You proposed this version: somebody else has to approve it.")
    if limit.retired_on:
        raise GuardFailed("This version was retired: propose a new one.")
    if limit.is_approved:
        return limit
    limit.approved_by, limit.approved_at = actor, timezone.now()
    limit.save(update_fields=["approved_by", "approved_at"])
    record(actor=actor, action="limit.approved", target=limit, after=_as_said(limit))
    _end_earlier(limit, actor)
    _hold_cases_against(limit)
    return limit


@transaction.atomic
def retire_limit(*, kind: type[Limit], limit_id: int, actor: "User", reason: str) -> Limit:
    """End a version from today on, or withdraw a proposal. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't approve limits, nor withdraws a proposal of his own.
        GuardFailed: no reason is given.
    """
    limit = kind.objects.select_for_update().get(pk=limit_id)
    is_own_proposal = limit.is_proposal and limit.proposed_by_id == actor.pk
    if not (policies.can_approve_limits(actor) or is_own_proposal):
        raise NotPermitted("You may not retire limits.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    if limit.retired_on is None:
        _retire(limit, actor, on=timezone.localdate(), reason=reason.strip())
        _hold_cases_against(limit)
    return limit


def _versions(kind: type[Limit], values: Mapping[str, Any]) -> Any:
    return kind.objects.filter(**{name: values[name] for name in kind.KEY})


def _same(limit: Limit, values: Mapping[str, Any]) -> bool:
    return all(getattr(limit, name) == value for name, value in values.items())


def _end_earlier(limit: Limit, actor: "User") -> None:
    """Two versions of one limit never judge the same day."""
    values = {name: getattr(limit, name) for name in limit.KEY}
    earlier = _versions(type(limit), values).filter(version__lt=limit.version, retired_on=None)
    for each in earlier.select_for_update():
        reason = f"Version {limit.version} was approved."
        _retire(each, actor, on=limit.effective_from, reason=reason)


def _retire(limit: Limit, actor: "User", *, on: Any, reason: str) -> None:
    limit.retired_by, limit.retired_at = actor, timezone.now()
    limit.retired_on, limit.retired_because = on, reason
    limit.save(update_fields=["retired_by", "retired_at", "retired_on", "retired_because"])
    record(
        actor=actor,
        action="limit.retired",
        target=limit,
        before=_as_said(limit),
        after={"retired_on": on},
        reason=reason,
    )


def _hold_cases_against(limit: Limit) -> None:
    """Have the open cases held against the critical limits as they are now."""
    if isinstance(limit, CriticalLimit):
        dispatch.reassess_critical_results()


def _as_said(limit: Limit) -> dict[str, Any]:
    """What the version says, for the audit trail."""
    said = model_to_dict(limit)
    return {name: value for name, value in said.items() if name not in STEPS}
