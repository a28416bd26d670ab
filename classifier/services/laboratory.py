"""Changing the laboratory's own settings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from classifier.exceptions import NotPermitted
from classifier.models import Laboratory

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def change_laboratory(*, actor: "User", values: Mapping[str, Any]) -> Laboratory:
    """Store settings that differ from the present ones; the audit trail keeps both.

    Raises:
        NotPermitted: the actor doesn't manage the laboratory.
    """
    if not actor.has_perm("accounts.manage_laboratory"):
        raise NotPermitted("You may not change the laboratory's settings.")
    laboratory = Laboratory.objects.select_for_update().get(pk=Laboratory.current().pk)
    former = {name: getattr(laboratory, name) for name in values}
    changed = [name for name, value in values.items() if former[name] != value]
    if not changed:
        return laboratory
    for name in changed:
        setattr(laboratory, name, values[name])
    laboratory.save(update_fields=changed)
    record(
        actor=actor,
        action="laboratory.changed",
        target=laboratory,
        before={name: former[name] for name in changed},
        after={name: values[name] for name in changed},
    )
    return laboratory
