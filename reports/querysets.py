"""Which reports a person may see, and the recurring selections."""

from typing import TYPE_CHECKING, Self

from django.db import models

from classifier.models import Case

if TYPE_CHECKING:
    from accounts.models import User


class ReportQuerySet(models.QuerySet):
    """Selections of reports."""

    def visible_to(self, user: "User") -> Self:
        """Return the reports of the cases that the user may open."""
        return self.filter(case__in=Case.objects.visible_to(user))

    def current(self) -> Self:
        """Return the versions that none supersedes."""
        return self.filter(superseded_by__isnull=True)

    def with_signatures(self) -> Self:
        """Fetch case, patient and signature along."""
        return self.select_related("case__patient", "sign_off")
