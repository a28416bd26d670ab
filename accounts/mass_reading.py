"""Notices when one person reads the records of unusually many patients."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User

WITHIN = timedelta(hours=1)
TOLD_AGAIN_AFTER = timedelta(hours=24)


def tell_of_mass_reading() -> int:
    """Record, once a day for each, who read more patients' records in an hour than is usual.

    Exports count too: each of their patients is read. Returns how many people there were.
    """
    since = timezone.now() - WITHIN
    counts = (
        AuditEvent.objects.since(since)
        .filter(actor__in=User.objects.people(), action="patient.viewed")
        .order_by()
        .values("actor")
        .annotate(patients=Count("patient_id", distinct=True))
        .filter(patients__gt=settings.PATIENTS_READ_PER_HOUR)
    )
    return sum(_tell(row["actor"], row["patients"]) for row in counts)


@transaction.atomic
def _tell(user_id: int, patients: int) -> bool:
    person = User.objects.select_for_update().get(pk=user_id)
    told = AuditEvent.objects.since(timezone.now() - TOLD_AGAIN_AFTER).filter(
        action="patient.mass_reading",
        target_type=User._meta.label_lower,
        target_id=str(user_id),
    )
    if told.exists():
        return False
    after = {"patients": patients, "minutes": round(WITHIN.total_seconds() / 60)}
    audit.record(actor=User.system(), action="patient.mass_reading", target=person, after=after)
    return True
