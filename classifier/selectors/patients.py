"""Finding patients by number, name or birth date."""

import uuid
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Max
from django.shortcuts import get_object_or_404

from classifier.models import Patient
from classifier.querysets import PatientQuerySet

if TYPE_CHECKING:
    from accounts.models import User

DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d")
SHOWN_WITHOUT_SEARCH = 25


def searched_words(text: str) -> list[str]:
    """Return the words of a search; commas and any white space part them."""
    return text.replace(",", " ").split()


def find_patients(user: "User", text: str) -> PatientQuerySet:
    """Return visible patients matching each word: MRN, part of a name, or a birth date.

    Without words, the most recently registered ones. What matches a merged record finds the one
    that stands for it.
    """
    visible = (
        Patient.objects.visible_to(user)
        .filter(merged_into=None)
        .annotate(case_count=Count("cases"), last_case_at=Max("cases__registered_at"))
    )
    words = searched_words(text)
    if not words:
        return visible.order_by("-registered_at")[:SHOWN_WITHOUT_SEARCH]
    named = " ".join(word for word in words if not read_date(word))
    found = Patient.objects.matching(named)
    dates = [day for word in words if (day := read_date(word))]
    if dates:
        found = found.filter(birth_date__in=dates)
    ordered = ("family_name", "given_name", "birth_date", "pk")
    return visible.standing_for(found).order_by(*ordered)


def get_standing(user: "User", patient_id: uuid.UUID) -> Patient:
    """Return the record that stands for a patient, if the user may read it; else Http404."""
    visible = Patient.objects.visible_to(user)
    known = get_object_or_404(visible.select_related("merged_into"), pk=patient_id)
    return known if known.merged_into is None else get_object_or_404(visible, pk=known.standing.pk)


def read_date(word: str) -> date | None:
    """Read a day written in one of the usual ways; None if it is something else."""
    for written in DATE_FORMATS:
        try:
            return datetime.strptime(word, written).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    return None
