"""Clearing away notices by the laboratory's rule."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from notifications.services.reading import KEPT, remove_older_than
from retention.enums import RecordType
from retention.selectors.rules import rules_in_force


def remove_old_notices() -> int:
    """Remove notices that are past the rule in force, after 90 days without one; return how many.

    Nobody is asked: they are no clinical record, and what they tell stands in the audit trail.
    """
    today = timezone.localdate()
    rule = rules_in_force(RecordType.NOTICES, today).first()
    if rule is None:
        return remove_older_than(timezone.now() - KEPT)
    first_kept = rule.period.before(today) + timedelta(days=1)
    return remove_older_than(timezone.make_aware(datetime.combine(first_kept, time.min)))
