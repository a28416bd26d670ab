"""Finding patients by number, name or birth date."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Max

from classifier.models import Patient
from classifier.querysets import PatientQuerySet

if TYPE_CHECKING:
    from accounts.models import User

DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d")
SHOWN_WITHOUT_SEARCH = 25


def find_patients(user: "User", text: str) -> PatientQuerySet:
    """Return visible patients matching each word: MRN, part of a name, or a birth date.

    Without words, the most recently registered ones.
    """
    visible = Patient.objects.visible_to(user).annotate(
        case_count=Count("cases"), last_case_at=Max("cases__registered_at")
    )
    words = text.replace(",", " ").split()
    if not words:
        return visible.order_by("-registered_at")[:SHOWN_WITHOUT_SEARCH]
    dates = [day for word in words if (day := read_date(word))]
    if dates:
        visible = visible.filter(birth_date__in=dates)
    named = " ".join(word for word in words if not read_date(word))
    return visible.matching(named).order_by("family_name", "given_name", "birth_date", "pk")


def read_date(word: str) -> date | None:
    """Read a day written in one of the usual ways; None if it is something else."""
    for written in DATE_FORMATS:
        try:
            return datetime.strptime(word, written).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    return None
