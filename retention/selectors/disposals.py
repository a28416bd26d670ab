"""Disposals as their pages and exports show them."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import (
    Aggregate,
    Count,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.utils import timezone

from exchange.selectors.keeping import TABLES, TOLD
from retention import policies
from retention.enums import OF_MESSAGES, ItemState
from retention.models import Disposal, DisposalItem, MessageBatch, RetentionRule

if TYPE_CHECKING:
    from accounts.models import User

MOST_KEPT = 200
COLUMNS = (
    *("accession_number", "record", "id", "original_sha256", "rule", "counted_from"),
    *("state", "why", "files", "bytes", "decided_at", "erased_at"),
)
MESSAGE_COLUMNS = (
    *("system", "direction", "id", "control_id", "sha256", "bytes", "rule", "counted_from"),
    *("state", "why", "erased_at"),
)


@dataclass(frozen=True, slots=True)
class MonthPart:
    """What became of the messages of one month with one system; ``why`` counts reasons."""

    words: str
    month: date
    system: str
    rule: RetentionRule
    count: int
    gone: int
    why: Mapping[str, int]

    @property
    def is_told(self) -> bool:
        """True for calls of a webhook, which stand among the messages sent."""
        return self.words == TOLD.words


@dataclass(frozen=True, slots=True)
class DisposalPage:
    """A disposal with what became of it by case, and what the reader may do."""

    disposal: Disposal
    counts: dict[str, int]
    size: int
    cases: Sequence[Any]
    kept: Sequence[DisposalItem]
    months: Sequence["MonthPart"]
    may_approve: bool
    may_withdraw: bool

    @property
    def total(self) -> int:
        """How many images, slides or messages it is of."""
        return sum(self.counts.values())

    @property
    def gone(self) -> int:
        """How many are disposed of, erased or about to be."""
        return self.counts.get(ItemState.DECIDED, 0) + self.counts.get(ItemState.ERASED, 0)


def list_disposals() -> "QuerySet[Disposal]":
    """Return every disposal with how many items it has and had to keep, the latest first."""
    disposals = Disposal.objects.select_related("proposed_by", "approved_by", "withdrawn_by")
    own = OuterRef("pk")
    items = DisposalItem.objects.filter(disposal=own)
    gone = items.filter(state__in=[ItemState.DECIDED, ItemState.ERASED])
    batches = MessageBatch.objects.filter(disposal=own)
    decided = batches.exclude(state=ItemState.WAITING)
    return disposals.annotate(
        item_count=_sum(items, Count("pk")) + _sum(batches, Sum("messages__len")),
        gone_count=_sum(gone, Count("pk")) + _sum(batches, Sum("gone")),
        kept_count=_sum(items.filter(state=ItemState.KEPT), Count("pk"))
        + _sum(decided, Sum(F("messages__len") - F("gone"))),
    ).order_by("-proposed_at")


def count_states(disposal: Disposal) -> dict[str, int]:
    """Return how many images, slides or messages wait, are decided, erased and held back."""
    rows = disposal.items.order_by().values_list("state").annotate(count=Count("pk"))
    counts = Counter(dict(rows))
    for state, messages, gone in disposal.batches.values_list("state", "messages__len", "gone"):
        counts[ItemState.ERASED] += gone
        left = ItemState.WAITING if state == ItemState.WAITING else ItemState.KEPT
        counts[left] += messages - gone
    return {str(state): count for state, count in counts.items() if count}


def get_disposal(user: "User", disposal_id: uuid.UUID) -> DisposalPage:
    """Return a disposal, else Http404."""
    people = Disposal.objects.select_related("proposed_by", "approved_by", "withdrawn_by")
    disposal = get_object_or_404(people, pk=disposal_id)
    items = disposal.items.order_by()
    kept = items.filter(state=ItemState.KEPT).select_related("case", "image", "slide")
    return DisposalPage(
        disposal=disposal,
        counts=count_states(disposal),
        size=sum(
            rows.aggregate(size=Sum("bytes"))["size"] or 0 for rows in (items, disposal.batches)
        ),
        cases=list(_by_case(items)),
        kept=list(kept.order_by("case__accession_number", "pk")[:MOST_KEPT]),
        months=_by_month(disposal),
        may_approve=disposal.is_proposal and policies.can_approve_disposal(user, disposal),
        may_withdraw=disposal.is_proposal and policies.can_keep_records(user),
    )


def columns_of(disposal: Disposal) -> Sequence[str]:
    """Return what its list says of each record."""
    return MESSAGE_COLUMNS if disposal.kind in OF_MESSAGES else COLUMNS


def rows_of(disposal: Disposal) -> Iterator[tuple[object, ...]]:
    """Return a row of its columns for each image, slide or message."""
    if disposal.kind not in OF_MESSAGES:
        yield from _rows_of_items(disposal)
    for batch in disposal.batches.select_related("rule").iterator(chunk_size=10):
        yield from _rows_of_messages(batch)


def _rows_of_messages(batch: MessageBatch) -> Iterator[tuple[object, ...]]:
    """Return what is left of each message of a batch; of contents, their hash and size."""
    table = TABLES[batch.table]
    for row in table.rows_with_erased().filter(pk__in=batch.messages).order_by("pk"):
        why = batch.kept.get(str(row.pk), "")
        yield (
            batch.system,
            table.words,
            row.pk,
            getattr(row, "control_id", ""),
            row.disposed_sha256,
            "" if row.disposed_bytes is None else row.disposed_bytes,
            str(batch.rule),
            timezone.localdate(row.written_at).isoformat(),
            ItemState.KEPT if why else batch.state,
            why,
            row.disposed_at.isoformat() if row.disposed_at else "",
        )


def _rows_of_items(disposal: Disposal) -> Iterator[tuple[object, ...]]:
    items = disposal.items.select_related("case", "image", "slide", "rule")
    for item in items.iterator(chunk_size=1000):
        yield (
            item.case.accession_number,
            "image" if item.image_id else "slide",
            item.image_id or item.slide_id,
            item.thing.original_sha256,
            str(item.rule),
            item.counted_from.isoformat(),
            item.state,
            item.why,
            item.files,
            item.bytes,
            item.decided_at.isoformat() if item.decided_at else "",
            item.erased_at.isoformat() if item.erased_at else "",
        )


def _by_month(disposal: Disposal) -> list[MonthPart]:
    """Add up the batches of each month and system."""
    batches = disposal.batches.select_related("rule").defer("messages")
    counted = batches.annotate(count=F("messages__len"))
    parts: dict[tuple[date, str, str], list[Any]] = defaultdict(list)
    for batch in counted.order_by("month", "table", "system", "pk"):
        parts[batch.month, batch.table, batch.system].append(batch)
    return [
        MonthPart(
            words=TABLES[table].words,
            month=month,
            system=system,
            rule=found[0].rule,
            count=sum(batch.count for batch in found),
            gone=sum(batch.gone for batch in found),
            why=dict(Counter(why for batch in found for why in batch.kept.values())),
        )
        for (month, table, system), found in parts.items()
    ]


def _sum(rows: "QuerySet[Any]", total: Aggregate) -> Coalesce:
    """Return a sum over rows of an outer query, 0 without any."""
    grouped = rows.order_by().values("disposal").annotate(total=total).values("total")
    return Coalesce(Subquery(grouped), 0, output_field=IntegerField())


def _by_case(items: "QuerySet[DisposalItem]") -> "QuerySet[DisposalItem, Any]":
    grouped = items.values("case__accession_number", "case").annotate(
        count=Count("pk"),
        gone=Count("pk", filter=Q(state__in=[ItemState.DECIDED, ItemState.ERASED])),
        kept=Count("pk", filter=Q(state=ItemState.KEPT)),
        counted_from=Min("counted_from"),
    )
    return grouped.order_by("case__accession_number")
