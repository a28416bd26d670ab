"""Queries over accounts and the audit trail."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, Q, Value, When

from accounts.enums import AccountState, Role

if TYPE_CHECKING:
    from accounts.models import AuditEvent, User  # noqa: F401


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
        """Events whose actor, target, reason or recorded values contain a text."""
        return self.filter(
            Q(actor_name__icontains=text)
            | Q(target_label__icontains=text)
            | Q(target_id__icontains=text)
            | Q(reason__icontains=text)
            | Q(payload__icontains=text)
        )
