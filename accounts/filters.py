"""Filters of the lists of accounts and audit events."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from accounts.audit import ACTIONS
from accounts.enums import AccountState, Role
from accounts.models import User
from accounts.querysets import AuditEventQuerySet, UserQuerySet

_DATE = forms.DateInput(attrs={"type": "date"})


class UserFilter(django_filters.FilterSet):
    """Accounts by name or e-mail, role and state."""

    search = django_filters.CharFilter(
        method="by_text",
        label="Name or e-mail",
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    role = django_filters.ChoiceFilter(
        field_name="groups__name", choices=Role.choices, label="Role", empty_label="Any role"
    )
    state = django_filters.ChoiceFilter(
        field_name="account_state",
        choices=AccountState.choices,
        label="State",
        empty_label="Any state",
    )

    def by_text(self, queryset: UserQuerySet, name: str, value: str) -> UserQuerySet:
        """Match any part of the name or the e-mail."""
        return queryset.filter(Q(full_name__icontains=value) | Q(email__icontains=value))


class _AddressFilter(django_filters.Filter):
    """An address of the network, whole."""

    field_class = forms.GenericIPAddressField


class AuditFilter(django_filters.FilterSet):
    """Audit events by who, what, about whom, from where and when."""

    actor = django_filters.ModelChoiceFilter(
        queryset=User.objects.order_by("full_name"), label="Who", empty_label="Anybody"
    )
    action = django_filters.ChoiceFilter(
        choices=lambda: sorted(ACTIONS.items(), key=lambda item: item[1]),
        label="What",
        empty_label="Anything",
    )
    subject = django_filters.CharFilter(
        method="by_subject",
        label="About",
        widget=forms.TextInput(
            attrs={"placeholder": "Accession number, e-mail or record id", "autocomplete": "off"}
        ),
    )
    address = _AddressFilter(
        field_name="client_address",
        label="From address",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    first = django_filters.DateFilter(method="from_day", label="From", widget=_DATE)
    last = django_filters.DateFilter(method="to_day", label="To", widget=_DATE)
    text = django_filters.CharFilter(
        method="by_text",
        label="Words in the entry",
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )

    def by_subject(self, queryset: AuditEventQuerySet, name: str, value: str) -> AuditEventQuerySet:
        """Match a record or patient by id, else a label such as an accession number."""
        value = value.strip()
        try:
            identity = uuid.UUID(value)
        except ValueError:
            return queryset.filter(Q(target_label__icontains=value) | Q(target_id=value))
        return queryset.filter(Q(patient_id=identity) | Q(target_id=str(identity)))

    def from_day(self, queryset: AuditEventQuerySet, name: str, value: date) -> AuditEventQuerySet:
        """Keep events from the start of a day (UTC)."""
        return queryset.filter(at__gte=_start_of(value))

    def to_day(self, queryset: AuditEventQuerySet, name: str, value: date) -> AuditEventQuerySet:
        """Keep events to the end of a day (UTC)."""
        return queryset.filter(at__lt=_start_of(value + timedelta(days=1)))

    def by_text(self, queryset: AuditEventQuerySet, name: str, value: str) -> AuditEventQuerySet:
        """Match any recorded word."""
        return queryset.mentioning(value.strip())

    def description(self) -> dict[str, Any]:
        """Return what was asked for, as recorded about reading the trail.

        Words searched for are left out: they could be a patient's name.
        """
        used = {name: value for name, value in self.data.items() if value and name in self.filters}
        return {name: "given" if name == "text" else value for name, value in used.items()}


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
