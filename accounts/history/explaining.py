"""Reading row history: what happened to a record, and what no audit event explains."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import audit, selectors
from accounts.history.following import FOLLOWED, switched_off
from accounts.history.models import RowChange
from accounts.models import AuditEvent, AuditSeal, User

# Which of a kind's records show somebody nothing but that they changed; apps above add theirs.
WITHHOLDERS: list[Callable[[User, str, Collection[str]], Collection[str]]] = []

UNEXPLAINED = "history.unexplained"
SWITCHED_OFF = "history.switched_off"
# A transaction that is still open has no seal yet.
SETTLED_AFTER = timedelta(minutes=10)
MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Happening:
    """A change of a record with the audit entries of its transaction; either may be missing.

    A transaction may hold many: the first few are given, those about the record itself first.
    Of a record that `is_withheld` from the reader, no values are shown.
    """

    change: RowChange | None
    entries: tuple[selectors.AuditEntry, ...]
    further: int = 0
    is_withheld: bool = False

    @property
    def is_outside(self) -> bool:
        """Whether something changed and no audit event says why."""
        return self.change is not None and not self.entries

    @property
    def columns(self) -> list[selectors.Change]:
        """What changed, column by column."""
        if self.change is None or self.is_withheld:
            return []
        return selectors.changes(self.change.before, self.change.after)


def model_of(table: str) -> type[models.Model] | None:
    """Return the model of a followed table."""
    known = apps.get_models(include_auto_created=True)
    found = (model for model in known if model._meta.db_table == table)
    return next(found, None)


def kind_of(table: str) -> str:
    """Return what the laboratory calls a table's records."""
    model = model_of(table)
    return str(model._meta.verbose_name) if model else table


def table_of(label: str) -> str | None:
    """Return the followed table of a model's label, such as "classifier.case"."""
    try:
        table = apps.get_model(label)._meta.db_table
    except (LookupError, ValueError):
        return None
    return table if table in FOLLOWED else None


def withheld(user: User, label: str, row_ids: Collection[str]) -> set[str]:
    """Return the records of a kind whose values may not be shown to somebody."""
    return {row for find in WITHHOLDERS for row in find(user, label, row_ids)}


def unexplained() -> QuerySet[RowChange]:
    """Return the changes in whose transaction no audit event was written, newest first."""
    seals = AuditSeal.objects.filter(
        transaction_id=OuterRef("transaction_id"), transaction_at=OuterRef("transaction_at")
    )
    settled = RowChange.objects.filter(at__lt=timezone.now() - SETTLED_AFTER)
    return settled.filter(~Exists(seals)).order_by("-id")


def history_of(table: str, row_id: str, *, label: str) -> list[Happening]:
    """Return a record's changes and audit entries, newest first."""
    changes = list(RowChange.objects.filter(table_name=table, row_id=row_id)[:500])
    about = Q(target_type=label, target_id=row_id)
    wanted = about | Q(seal__transaction_id__in={change.transaction_id for change in changes})
    events = selectors.list_audit_events().filter(wanted).select_related("seal")[:2000]
    by_transaction: dict[tuple[object, object], list[AuditEvent]] = {}
    alone: list[AuditEvent] = []
    known = {(change.transaction_id, change.transaction_at) for change in changes}
    for event in events:
        seal = getattr(event, "seal", None)
        key = (seal.transaction_id, seal.transaction_at) if seal else (None, None)
        if key in known:
            by_transaction.setdefault(key, []).append(event)
        elif (event.target_type, event.target_id) == (label, row_id):
            alone.append(event)
    happenings = [_explained(change, by_transaction, label) for change in changes]
    happenings += [Happening(None, (selectors.describe(event),)) for event in alone]
    return sorted(happenings, key=_moment, reverse=True)


@transaction.atomic
def report_unexplained() -> int:
    """Tell administrators of changes that no audit event explains, and of switched-off history.

    Each change is told of once; return how many were new.
    """
    last = AuditEvent.objects.filter(action=UNEXPLAINED).order_by("-at").first()
    seen = last.after["last"] if last and last.after else 0
    found = list(unexplained().filter(pk__gt=seen))
    if found:
        tables = Counter(kind_of(change.table_name) for change in found)
        after = {"changes": len(found), "last": found[0].pk, "of": dict(tables)}
        audit.record(actor=User.system(), action=UNEXPLAINED, target=None, after=after)
    if tables_off := switched_off():
        off = {"tables": tables_off}
        audit.record(actor=User.system(), action=SWITCHED_OFF, target=None, after=off)
    return len(found)


def _explained(
    change: RowChange, by_transaction: dict[tuple[object, object], list[AuditEvent]], label: str
) -> Happening:
    events = by_transaction.get((change.transaction_id, change.transaction_at), [])
    own = (label, change.row_id)
    first = sorted(events, key=lambda event: (event.target_type, event.target_id) != own)
    told = tuple(selectors.describe(event) for event in first[:MOST_TOLD])
    return Happening(change, told, len(events) - len(told))


def _moment(happening: Happening) -> datetime:
    return happening.change.at if happening.change else happening.entries[0].event.at
