"""Notices go by their rule."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.models import Case
from notifications.models import Notice
from retention.services.old_notices import remove_old_notices
from tests.retention.steps import rule


@pytest.mark.usefixtures("case")
def test_notices_go_by_the_rule_and_after_90_days_without_one(
    case: Case, technician: User, administrator: User, keeper: User
) -> None:
    def leave(days: int) -> Notice:
        event = AuditEvent.objects.filter(target_id=str(case.pk)).latest("at")
        at = timezone.now() - timedelta(days=days)
        return Notice.objects.create(
            recipient=technician, kind=f"case.{days}", event=event, created_at=at, mail_state="none"
        )

    old, older = leave(50), leave(100)
    assert remove_old_notices() == 1
    assert not Notice.objects.filter(pk=older.pk).exists()
    values = {"record_type": "notices", "counts_from": "written", "keep_for": 50, "unit": "days"}
    rule(administrator, keeper, **values)
    fresh = leave(49)
    remove_old_notices()
    assert not Notice.objects.filter(pk=old.pk).exists()
    assert Notice.objects.filter(pk=fresh.pk).exists()
