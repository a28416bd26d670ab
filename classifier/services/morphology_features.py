"""The laboratory's features of morphology: propose a version, approve it by name, retire it."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.audit import record
from classifier import policies
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import MorphologyFeature

if TYPE_CHECKING:
    from accounts.models import User

CONTENT = (
    "name",
    "line",
    "unit",
    "one_above",
    "two_from",
    "three_above",
    "description",
    "source",
    "is_common",
    "position",
    "effective_from",
)


@transaction.atomic
def propose_feature(*, actor: "User", code: str, values: Mapping[str, Any]) -> MorphologyFeature:
    """Add a version of a feature, or a new feature; it holds once somebody approves it.

    Raises:
        NotPermitted: the actor neither manages the laboratory nor approves its limits.
        GuardFailed: the latest version says the same.
    """
    if not policies.can_propose_limits(actor):
        raise NotPermitted("You may not propose cut-offs.")
    versions = MorphologyFeature.objects.select_for_update().filter(code=code)
    latest = versions.order_by("-version").first()
    said = {name: values[name] for name in CONTENT}
    if latest and latest.retired_at is None and said == _content(latest):
        raise GuardFailed("The latest version says the same.")
    number = versions.aggregate(last=Max("version"))["last"] or 0
    feature = MorphologyFeature.objects.create(
        code=code, version=number + 1, proposed_by=actor, **said
    )
    record(
        actor=actor,
        action="morphology_feature.proposed",
        target=feature,
        before=_content(latest) if latest else None,
        after=said,
    )
    return feature


@transaction.atomic
def approve_features(
    *, actor: "User", feature_ids: Collection[int]
) -> tuple[MorphologyFeature, ...]:
    """Approve versions in one's own name; those that are approved already are left alone.

    Raises:
        NotPermitted: the actor doesn't approve limits.
        GuardFailed: none is named, or one doesn't exist or is retired.
    """
    if not policies.can_approve_limits(actor):
        raise NotPermitted("You may not approve cut-offs.")
    rows = _locked(feature_ids)
    if any(row.retired_at for row in rows):
        raise GuardFailed("A retired version can't be approved: propose a new one.")
    approved = [row for row in rows if not row.is_approved]
    for row in approved:
        row.approved_by, row.approved_at = actor, timezone.now()
        row.save(update_fields=["approved_by", "approved_at"])
        record(
            actor=actor,
            action="morphology_feature.approved",
            target=row,
            after=_content(row),
        )
    return tuple(approved)


@transaction.atomic
def retire_feature(*, actor: "User", feature_id: int, reason: str) -> MorphologyFeature:
    """Take a version out of use, or refuse a proposal; again is harmless.

    Raises:
        NotPermitted: the actor doesn't approve limits.
        GuardFailed: there is no such version, or no reason.
    """
    if not policies.can_approve_limits(actor):
        raise NotPermitted("You may not retire features.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    [row] = _locked([feature_id])
    if row.retired_at is not None:
        return row
    row.retired_by, row.retired_at = actor, timezone.now()
    row.save(update_fields=["retired_by", "retired_at"])
    record(actor=actor, action="morphology_feature.retired", target=row, reason=reason)
    return row


def _locked(feature_ids: Collection[int]) -> list[MorphologyFeature]:
    wanted = set(feature_ids)
    rows = list(MorphologyFeature.objects.select_for_update().filter(pk__in=wanted))
    if not wanted or len(rows) != len(wanted):
        raise GuardFailed("Choose features of the list.")
    return rows


def _content(feature: MorphologyFeature) -> dict[str, Any]:
    return {name: getattr(feature, name) for name in CONTENT}
