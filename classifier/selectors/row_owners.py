"""Which rows of the database belong to a patient whose restricted record is closed to somebody."""

from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from classifier.care import hidden_patients
from classifier.models import Patient

if TYPE_CHECKING:
    from accounts.models import User

FARTHEST = 5


def closed_rows(user: "User", label: str, row_ids: Collection[str]) -> set[str]:
    """Return those of a model's rows that are about a patient whose record is closed to the user.

    ``label`` is a model's, such as "classifier.case"; "" and what leads to no patient close
    nothing.
    """
    model = apps.get_model(label) if label else None
    path = path_to_patient(model) if model else None
    if model is None or path is None:
        return set()
    try:
        rows = model._default_manager.filter(pk__in=list(row_ids))
        closed = rows.filter(**{f"{path}__in": hidden_patients(user)})
        return {str(key) for key in closed.values_list("pk", flat=True)}
    except (ValueError, ValidationError):
        return set()


def path_to_patient(model: type[models.Model]) -> str | None:
    """Return the shortest way of foreign keys to the patient, "pk" for patients themselves."""
    waiting: deque[tuple[type[models.Model], tuple[str, ...]]] = deque([(model, ())])
    while waiting:
        found, path = waiting.popleft()
        if found is Patient:
            return "__".join(path) or "pk"
        if len(path) < FARTHEST:
            for field in found._meta.concrete_fields:
                if field.is_relation and isinstance(field.related_model, type):
                    waiting.append((field.related_model, (*path, field.name)))
    return None
