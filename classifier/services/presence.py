"""Noting who has a case on the screen; small rows without locks, and nothing for the audit."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from classifier.models import Case, Presence

if TYPE_CHECKING:
    from accounts.models import User

AWAY_AFTER = timedelta(seconds=30)
"""Whoever was not heard of for so long has left."""

KEPT_FOR = timedelta(days=1)
"""A row that is older tells nobody anything."""

WRITTEN_EVERY = timedelta(seconds=10)
"""A page asks more often than this; it is written down no oftener."""


def note_presence(*, case: Case, actor: "User") -> None:
    """Keep that the person is at the case; whoever comes back after leaving comes anew."""
    now = timezone.now()
    own = Presence.objects.filter(case=case, user=actor)
    heard = own.values_list("seen_at", flat=True).first()
    if heard is None:
        arrival = Presence(case=case, user=actor, since=now, seen_at=now)
        Presence.objects.bulk_create([arrival], ignore_conflicts=True)
    elif heard < now - AWAY_AFTER:
        own.update(since=now, seen_at=now)
    elif heard <= now - WRITTEN_EVERY:
        own.update(seen_at=now)


def forget_presence() -> int:
    """Delete who was last heard of more than a day ago; return how many rows went."""
    count, _ = Presence.objects.filter(seen_at__lt=timezone.now() - KEPT_FOR).delete()
    return count
