"""Which messages are due by the rule, by month and other system, and which are held back."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Func, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from classifier.models import Case, LegalHold, Patient
from exchange.models import IncomingMessage
from exchange.models.incoming import MERGE
from exchange.selectors.keeping import RECEIVED, SENT, TOLD, MessageTable
from exchange.services.merges import proposal_in
from retention.enums import ItemState, RecordType
from retention.models import MessageBatch, RetentionRule
from retention.selectors.keeping import GONE, HELD, NOT_DUE
from retention.selectors.rules import rules_in_force

TABLES_OF: Mapping[RecordType, tuple[MessageTable, ...]] = {
    RecordType.MESSAGES_RECEIVED: (RECEIVED,),
    RecordType.MESSAGES_SENT: (SENT, TOLD),
}
MOST_MONTHS = 500
"""Of one list and of one proposal: months of other systems; the oldest come first."""
UNKNOWN = "an unknown system"


@dataclass(frozen=True, slots=True)
class DueMonth:
    """The messages of one month with one system: how many may go, and how many stay and why."""

    table: MessageTable
    system_id: str
    system: str
    month: date
    rule: RetentionRule
    ready: int
    size: int
    held: int
    unsettled: int

    @property
    def key(self) -> str:
        """What a proposal calls it."""
        return f"{self.table.name}:{self.system_id}:{self.month:%Y-%m}"

    @property
    def why_kept(self) -> str:
        """Why some of them stay, in words."""
        counts = ((self.held, HELD), (self.unsettled, self.table.unsettled))
        return " ".join(f"{count}: {words}" for count, words in counts if count)


def list_due_months(kind: RecordType, day: date | None = None) -> list[DueMonth]:
    """Return the months whose messages of a kind are past the rule, the oldest first."""
    day = day or timezone.localdate()
    found = [
        month
        for rule in rules_in_force(kind, day)
        for table in TABLES_OF[kind]
        for month in _months(table, rule, day)
    ]
    return sorted(found, key=lambda each: (each.month, each.table.name, each.system))[:MOST_MONTHS]


def ids_of(due: DueMonth, day: date) -> list[uuid.UUID]:
    """Return the messages of a month that may go, in the order of their time."""
    rows = _past(due.table, due.rule, day).filter(due.table.settled, ~_is_held(due.table))
    system = due.system_id or None
    rows = rows.annotate(month=TruncMonth("written_at")).filter(**{due.table.system: system})
    rows = rows.filter(month__date=due.month).order_by("written_at", "pk")
    return list(rows.values_list("pk", flat=True))


def why_kept(
    table: MessageTable, kind: RecordType, ids: Collection[uuid.UUID], day: date
) -> Mapping[uuid.UUID, str]:
    """Return why each message is held back, for those that are; to be asked under the locks."""
    wanted = table.model._default_manager.filter(pk__in=ids)
    gone = set(wanted.filter(disposed_at__isnull=False).values_list("pk", flat=True))
    held = set(wanted.filter(_is_held(table)).values_list("pk", flat=True)) | _held_merges(ids)
    settled = set(wanted.filter(table.settled).values_list("pk", flat=True))
    past: set[uuid.UUID] = set()
    for rule in rules_in_force(kind, day):
        rows = table.rows().filter(written_at__date__lte=rule.period.before(day), pk__in=ids)
        past |= set(rows.values_list("pk", flat=True))
    everyone = set(ids)
    reasons = (
        (gone, GONE),
        (held, HELD),
        (everyone - settled, table.unsettled),
        (everyone - past, NOT_DUE),
    )
    return {pk: words for rows, words in reversed(reasons) for pk in rows}


def patients_to_merge(ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, list[Patient]]:
    """Return the records that messages which propose a merge are about; they name no case."""
    merges = IncomingMessage.objects.filter(pk__in=ids, message_type=MERGE)
    found = ((message.pk, proposal_in(message)) for message in merges.select_related("sender"))
    return {pk: proposal.patients for pk, proposal in found if proposal is not None}


def _held_merges(ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    holds = LegalHold.objects.in_force()
    return {
        pk
        for pk, patients in patients_to_merge(ids).items()
        if any(holds.over_patient(patient.pk).exists() for patient in patients)
    }


def _months(table: MessageTable, rule: RetentionRule, day: date) -> list[DueMonth]:
    ready = Q(table.settled, ~_is_held(table))
    name = f"{table.system}__name"
    grouped = _past(table, rule, day).annotate(month=TruncMonth("written_at"))
    grouped = grouped.values("month", table.system, name).annotate(
        count=Count("pk"),
        settled=Count("pk", filter=table.settled),
        ready=Count("pk", filter=ready),
        size=Sum("length", filter=ready),
    )
    return [
        DueMonth(
            table=table,
            system_id=str(row[table.system] or ""),
            system=row[name] or UNKNOWN,
            month=timezone.localdate(row["month"]),
            rule=rule,
            ready=row["ready"],
            size=row["size"] or 0,
            held=row["settled"] - row["ready"],
            unsettled=row["count"] - row["settled"],
        )
        for row in grouped
    ]


def _past(table: MessageTable, rule: RetentionRule, day: date) -> "QuerySet[Any]":
    """Return messages past the rule that are in no other open disposal."""
    waiting = MessageBatch.objects.filter(
        disposal__withdrawn_at=None, state=ItemState.WAITING, table=table.name
    )
    in_work = waiting.annotate(message=Func(F("messages"), function="unnest")).values("message")
    rows = table.rows().filter(written_at__date__lte=rule.period.before(day))
    return rows.exclude(pk__in=in_work)


def _is_held(table: MessageTable) -> Q:
    """Say of messages that a case of theirs is under legal hold, or its patient's record."""
    holds = LegalHold.objects.in_force()
    cases = Case.objects.filter(
        Q(pk__in=holds.filter(case__isnull=False).values("case"))
        | Q(patient__in=holds.filter(patient__isnull=False).values("patient"))
        | Q(patient__in=holds.exclude(patient__merged_into=None).values("patient__merged_into"))
    )
    rows = table.model._default_manager.filter(**{f"{table.cases}__in": cases})
    return Q(pk__in=rows.order_by().values("pk"))
