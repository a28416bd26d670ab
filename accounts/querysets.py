"""Queries over accounts and the audit trail."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone

from accounts.enums import AccountState, Role

if TYPE_CHECKING:
    from accounts.models import AuditEvent, DutyException, User  # noqa: F401


class UserQuerySet(models.QuerySet["User"]):
    """Accounts of people and of the system."""

    def people(self) -> Self:
        """Accounts of human beings."""
        return self.filter(is_system=False)

    def active(self) -> Self:
        """Accounts that may sign in."""
        return self.filter(is_active=True)

    def in_role(self, role: str) -> Self:
        """Accounts holding a role."""
        return self.filter(groups__name=role)

    def holding(self, duty: str) -> Self:
        """Active people who hold a duty."""
        return self.people().active()._with(duty)

    def to_be_holding(self, duty: str) -> Self:
        """People who hold a duty: active ones, and those invited who haven't joined yet."""
        is_expected = Q(is_active=True) | Q(joined_at__isnull=True)
        return self.people().filter(is_expected, deactivated_at__isnull=True)._with(duty)

    def _with(self, duty: str) -> Self:
        """Keep those who hold a duty: by role, unless it is withheld, or because it is given."""
        exceptions = apps.get_model("accounts", "DutyException")._default_manager
        own = exceptions.in_force().filter(user=OuterRef("pk"), duty=duty)
        given, withheld = Exists(own.filter(is_granted=True)), Exists(own.filter(is_granted=False))
        by_role = Q(groups__permissions__codename=duty) & ~withheld
        return self.filter(by_role | given).distinct().prefetch_related("groups")

    def with_state(self) -> Self:
        """Annotate ``account_state``, the stored form of ``User.state``."""
        return self.annotate(
            account_state=Case(
                When(
                    deactivated_at__isnull=False,
                    then=Value(AccountState.DEACTIVATED.value),
                ),
                When(is_active=True, then=Value(AccountState.ACTIVE.value)),
                default=Value(AccountState.INVITED.value),
                output_field=models.CharField(),
            )
        )

    def administrators(self) -> Self:
        """Accounts that can let others in: active administrators."""
        return self.people().active().in_role(Role.ADMINISTRATOR)


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """The audit trail."""

    def about_patient(self, patient_id: object) -> Self:
        """Everything recorded about one patient."""
        return self.filter(patient_id=patient_id)

    def since(self, moment: datetime) -> Self:
        """Events at or after a moment."""
        return self.filter(at__gte=moment)

    def mentioning(self, text: str) -> Self:
        """Events of which any recorded value contains a text; all of them are in the payload.

        No index: it would cost every entry more than a search now and then (docs/audit.md).
        """
        written = json.dumps(text, ensure_ascii=False)[1:-1]
        return self.filter(payload__icontains=written)


class DutyExceptionQuerySet(models.QuerySet["DutyException"]):
    """Duties given to single people, and withheld from them."""

    def standing(self) -> Self:
        """Those that nobody ended, their time up or not."""
        return self.filter(ended_at__isnull=True)

    def in_force(self) -> Self:
        """Those that hold now."""
        return self.standing().filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()))

    def over(self) -> Self:
        """Those that somebody ended, or whose time is up."""
        return self.filter(Q(ended_at__isnull=False) | Q(expires_at__lte=timezone.now()))
