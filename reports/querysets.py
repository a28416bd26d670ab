"""Which reports a person may see, and the recurring selections."""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Func, Value
from django.utils import timezone

from classifier.models import Case
from reports.enums import STANDING

if TYPE_CHECKING:
    from accounts.models import User


FLAGGED = (
    "$ ? (exists(@.differential[*].flag.code) || exists(@.white_count.flag.code) "
    "|| exists(@.fields.platelets_flag.code) || exists(@.analyser_results[*].flag.code) "
    "|| exists(@.critical.results[*]))"
)
CRITICAL = "$.critical.results[*]"
SHARE = "$.differential[*] ? (@.cell_type.code == $type && @.percent.double() >= $least)"


def says(path: str, **values: Any) -> Func:
    """Return whether a report's content holds something at a JSON path (SQL/JSON, lax)."""
    return Func(
        F("content"),
        Func(Value(path), template="%(expressions)s::jsonpath"),
        Func(Value(json.dumps(values)), template="%(expressions)s::jsonb"),
        Value(value=True),
        function="jsonb_path_exists",
        output_field=models.BooleanField(),
    )


class ReportQuerySet(models.QuerySet):
    """Selections of reports."""

    def visible_to(self, user: "User") -> Self:
        """Return the reports of the cases that the user may open."""
        return self.filter(case__in=Case.objects.visible_to(user))

    def current(self) -> Self:
        """Return the versions that none supersedes."""
        return self.filter(superseded_by__isnull=True)

    def standing(self) -> Self:
        """Return the versions that are a patient's result now: neither interim nor withdrawn."""
        return self.current().filter(status__in=STANDING)

    def with_signatures(self) -> Self:
        """Fetch case, patient and signature along."""
        return self.select_related("case__patient", "sign_off")

    def issued_from(self, day: date) -> Self:
        """Return the reports signed on ``day`` or later, by the laboratory's clock."""
        return self.filter(issued_at__gte=_start_of(day))

    def issued_to(self, day: date) -> Self:
        """Return the reports signed on ``day`` or earlier."""
        return self.filter(issued_at__lt=_start_of(day + timedelta(days=1)))

    def flagged(self) -> Self:
        """Return the reports with a result beyond its reference interval, or a critical one."""
        return self.filter(says(FLAGGED))

    def critical(self) -> Self:
        """Return the reports with a critical result."""
        return self.filter(says(CRITICAL))

    def with_share(self, cell_type: str, least: Decimal) -> Self:
        """Return the reports in which a class makes ``least`` percent of the leukocytes or more."""
        return self.filter(says(SHARE, type=cell_type, least=float(least)))


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
