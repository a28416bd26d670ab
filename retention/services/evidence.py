"""What the decisions of a disposal share: the locks, and what the audit trail is told."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from accounts.audit import record
from accounts.models import User
from classifier.models import Case
from retention.models import Disposal, RetentionRule


def lock_cases(ids: Iterable[uuid.UUID]) -> None:
    """Lock cases: whoever holds, amends or refers one takes its lock as well."""
    rows = Case.objects.select_for_update(of=("self",)).filter(pk__in=list(ids)).order_by("pk")
    list(rows.values_list("pk"))


def authority(disposal: Disposal, rule: RetentionRule) -> dict[str, Any]:
    """Return by what rule and by whom something goes."""
    return {
        "rule": rule.pk,
        "says": str(rule),
        "disposal": disposal.pk,
        "proposed_by": disposal.proposed_by_id,
        "approved_by": disposal.approved_by_id,
    }


def record_held_back(
    target: models.Model, disposal: Disposal, why: Mapping[str, int], patient: Any = None
) -> None:
    """Note what of an approved disposal stayed: how many by each reason."""
    record(
        actor=User.system(),
        action="disposal.held_back",
        target=target,
        after={"disposal": disposal.pk, "why": dict(why)},
        patient=patient,
    )
