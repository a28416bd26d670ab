"""The filter of the list of signed reports."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.http import QueryDict
from django.utils import timezone

from classifier.enums import LEUKOCYTES, Priority
from classifier.models import Patient
from reports.enums import ReportStatus
from reports.querysets import ReportQuerySet

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
SHOWN_FIRST = timedelta(days=30)


class ReportFilter(django_filters.FilterSet):
    """Current reports by period, patient, who asked, status and what was found.

    A patient is given by id alone, from the patient's own page: names belong in no address.
    """

    first = django_filters.DateFilter(method="from_day", label="Signed from", widget=_DATE)
    last = django_filters.DateFilter(method="to_day", label="Signed to", widget=_DATE)
    requester = django_filters.CharFilter(
        field_name="case__ordering_clinician",
        lookup_expr="icontains",
        label="Requester",
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    status = django_filters.ChoiceFilter(
        choices=ReportStatus.choices, label="Status", empty_label="Any status"
    )
    priority = django_filters.ChoiceFilter(
        field_name="case__priority",
        choices=Priority.choices,
        label="Priority",
        empty_label="Any priority",
    )
    result = django_filters.ChoiceFilter(
        method="by_result",
        choices=(("flagged", "Flagged or critical"), ("critical", "Critical")),
        label="Result",
        empty_label="Any result",
    )
    cell_type = django_filters.ChoiceFilter(
        method="skip",
        choices=[(member.value, member.label) for member in LEUKOCYTES],
        label="Class",
        empty_label="Any class",
    )
    share = django_filters.NumberFilter(
        method="by_share",
        label="At least (%)",
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"min": 0, "max": 100, "step": "any"}),
    )
    patient = django_filters.ModelChoiceFilter(
        method="of_patient",
        queryset=lambda request: Patient.objects.visible_to(request.user),
        widget=forms.HiddenInput,
    )

    def from_day(self, queryset: ReportQuerySet, name: str, value: Any) -> ReportQuerySet:
        """Keep reports signed on a day or later."""
        return queryset.issued_from(value)

    def to_day(self, queryset: ReportQuerySet, name: str, value: Any) -> ReportQuerySet:
        """Keep reports signed on a day or earlier."""
        return queryset.issued_to(value)

    def of_patient(
        self, queryset: ReportQuerySet, name: str, value: Patient | None
    ) -> ReportQuerySet:
        """Keep a patient's reports; a merged record stands for the one it was merged into."""
        return queryset.filter(case__patient=value.standing) if value else queryset

    def by_result(self, queryset: ReportQuerySet, name: str, value: str) -> ReportQuerySet:
        """Keep what is flagged, or critical alone."""
        return queryset.critical() if value == "critical" else queryset.flagged()

    def by_share(self, queryset: ReportQuerySet, name: str, value: Decimal) -> ReportQuerySet:
        """Keep reports in which the chosen class makes that share of the leukocytes."""
        cell_type = self.form.cleaned_data.get("cell_type")
        return queryset.with_share(cell_type, value) if cell_type else queryset

    def skip(self, queryset: ReportQuerySet, name: str, value: str) -> ReportQuerySet:
        """Keep all: the class alone says nothing without its share."""
        return queryset

    def description(self) -> dict[str, str]:
        """Return what was asked for, as the audit trail keeps it; a patient is an id."""
        return {
            name: str(value)
            for name, value in self.data.items()
            if value and name in self.filters and name not in self.form.errors
        }


def asked_for(data: QueryDict) -> dict[str, Any] | QueryDict:
    """Return the filter of a request; one that asks for nothing gets the last 30 days."""
    if any(data.get(name) for name in ReportFilter.base_filters):
        return data
    return {"first": (timezone.localdate() - SHOWN_FIRST).isoformat()}
