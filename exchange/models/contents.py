"""Contents of messages that a disposal erases; the row stays and says what was there."""

from functools import reduce
from operator import or_

import pgtrigger
from django.db import models
from django.db.models import Q

from classifier.models.protection import NEVER_DELETED

MARKS = ("disposed_at", "disposed_because", "disposed_sha256", "disposed_bytes")


class ErasableContents(models.Model):
    """When and by which rule a message's contents went, their SHA-256 and their size."""

    disposed_at = models.DateTimeField(null=True, editable=False)
    disposed_because = models.CharField(max_length=250, blank=True, editable=False)
    disposed_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    disposed_bytes = models.PositiveIntegerField(null=True, editable=False)

    class Meta:
        abstract = True


def erased_says_what(name: str, **empty: object) -> models.CheckConstraint:
    """Return the rule that an erased message is empty and says what it was and why it went."""
    there = Q(disposed_at=None, disposed_because="", disposed_sha256="", disposed_bytes=None)
    gone = Q(disposed_at__isnull=False, disposed_bytes__isnull=False, **empty)
    said = ~Q(disposed_because="") & ~Q(disposed_sha256="")
    return models.CheckConstraint(condition=there | gone & said, name=name)


def only_erased(*contents: str) -> list[pgtrigger.Trigger]:
    """Return the rules of a table whose contents go once, with the mark, and never change else."""
    columns = (*contents, *MARKS)
    changes = (pgtrigger.Q(**{f"old__{it}__df": pgtrigger.F(f"new__{it}")}) for it in columns)
    again = pgtrigger.Q(old__disposed_at__isnull=False)
    without_mark = pgtrigger.Q(new__disposed_at__isnull=True)
    return [
        *NEVER_DELETED,
        pgtrigger.Protect(
            name="contents_only_erased",
            operation=pgtrigger.Update,
            condition=reduce(or_, changes) & (again | without_mark),
        ),
    ]


def erased_with(table: str, **empty: str) -> list[pgtrigger.Trigger]:
    """Return the rules of a message's part: append-only, but for contents that go with it.

    ``empty`` gives of each column the SQL of what it holds afterwards.
    """
    emptied = " AND ".join(f"NEW.{column} = {value}" for column, value in empty.items())
    return [
        *NEVER_DELETED,
        pgtrigger.Protect(
            name="never_reworded",
            operation=pgtrigger.Update,
            condition=pgtrigger.AnyChange(exclude=list(empty)),
        ),
        pgtrigger.Trigger(
            name="erased_with_its_message",
            operation=pgtrigger.Update,
            when=pgtrigger.Before,
            func=f"""
                IF NOT ({emptied} AND EXISTS (
                    SELECT 1 FROM {table} WHERE id = NEW.message_id AND disposed_at IS NOT NULL
                )) THEN
                    RAISE EXCEPTION 'Cannot update rows from % table', TG_TABLE_NAME;
                END IF;
                RETURN NEW;
            """,  # noqa: S608 - names of tables and columns, written in the models
        ),
    ]
