"""Whether times can be believed: a clock that is off, or was set back, is noticed and stated.

Leases and deadlines go by the database's clock alone, so a wrong clock of one machine loses no
work; what suffers is the order of times in the audit trail. Its sequence does not.
"""

import logging
from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import AuditEvent, User

logger = logging.getLogger(__name__)

OFF: Final = timedelta(seconds=5)
"""Further apart than two machines that keep time over the network ever are."""

SAID_AGAIN_AFTER: Final = timedelta(hours=1)


def watch_clock() -> str:
    """Compare the clocks; what is wrong is logged and, once an hour, put into the audit trail."""
    finding = doubt()
    if not finding:
        return ""
    logger.error("%s", finding)
    with transaction.atomic():
        said = AuditEvent.objects.filter(action="vault.clock_doubted").order_by("-at").first()
        if said is None or abs(timezone.now() - said.at) > SAID_AGAIN_AFTER:
            after = {"finding": finding}
            record(actor=User.system(), action="vault.clock_doubted", target=None, after=after)
    return finding


def doubt() -> str:
    """Return what speaks against the clocks, an empty string if nothing does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
    ahead = timezone.now() - theirs
    if abs(ahead) > OFF:
        where = "ahead of" if ahead > timedelta(0) else "behind"
        return f"This machine's clock is {_seconds(abs(ahead))} s {where} the database's."
    newest = AuditEvent.objects.order_by("-at").values_list("at", flat=True).first()
    if newest is not None and newest - theirs > OFF:
        return (
            f"The newest event of the audit trail is {_seconds(newest - theirs)} s in the future: "
            "a clock was set back. The order of events is that of their seals."
        )
    return ""


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())
