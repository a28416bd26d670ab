"""Where each version stands, and from when to when it was in use; all of it follows from rows."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.models import AuditEvent
from classifier.models import ModelVersion
from learning.enums import Standing
from learning.models import Comparison, RefusalOverride, ShadowTrial


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which new cases were read with a version; `until` is None while it lasts."""

    since: datetime
    until: datetime | None
    approver: str
    reason: str


def with_standing(versions: "QuerySet[ModelVersion]") -> "QuerySet[Any]":
    """Add what the standing follows from: an open trial, and what the last comparison said."""
    last = Comparison.objects.filter(candidate=OuterRef("pk")).order_by("-at", "-pk")
    overridden = RefusalOverride.objects.filter(comparison=OuterRef("last_comparison"))
    return versions.annotate(
        is_in_shadow=Exists(ShadowTrial.objects.filter(version=OuterRef("pk"), ended_at=None)),
        last_comparison=Subquery(last.values("pk")[:1]),
        was_refused=Subquery(last.values("is_refused")[:1]),
        is_overridden=Exists(overridden),
    )


def standing_of(version: Any, *, was_in_use: bool) -> Standing:
    """Return where an annotated version stands; what it is now goes before what it was."""
    if version.is_active:
        return Standing.IN_USE
    if version.is_in_shadow:
        return Standing.IN_SHADOW
    if version.was_refused and not version.is_overridden:
        return Standing.REFUSED
    return Standing.RETIRED if was_in_use else Standing.CANDIDATE


def list_periods() -> Mapping[int, list[Period]]:
    """Return by version when it was in use, the latest period first, as the audit trail has it."""
    events = AuditEvent.objects.filter(action="model.activated").order_by("at")
    found: defaultdict[int, list[Period]] = defaultdict(list)
    listed = list(events.values_list("target_id", "at", "actor_name", "reason"))
    ends: list[datetime | None] = [*(at for _, at, _, _ in listed[1:]), None]
    for (key, at, name, reason), until in zip(listed, ends, strict=False):
        found[int(key)].insert(0, Period(at, until, name, reason))
    return found


def version_before(version: ModelVersion) -> ModelVersion | None:
    """Return what was in use right before a version that is in use; None if nothing was."""
    events = AuditEvent.objects.filter(action="model.activated").order_by("-at")
    keys = [int(key) for key in events.values_list("target_id", flat=True)]
    for key in keys:
        if key != version.pk:
            return ModelVersion.objects.get(pk=key)
    return None
