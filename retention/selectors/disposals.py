"""Disposals as their pages and exports show them."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.shortcuts import get_object_or_404

from retention import policies
from retention.enums import ItemState
from retention.models import Disposal, DisposalItem

if TYPE_CHECKING:
    from accounts.models import User

MOST_KEPT = 200
COLUMNS = (
    *("accession_number", "record", "id", "original_sha256", "rule", "counted_from"),
    *("state", "why", "files", "bytes", "decided_at", "erased_at"),
)


@dataclass(frozen=True, slots=True)
class DisposalPage:
    """A disposal with what became of it by case, and what the reader may do."""

    disposal: Disposal
    counts: dict[str, int]
    size: int
    cases: Sequence[Any]
    kept: Sequence[DisposalItem]
    may_approve: bool
    may_withdraw: bool

    @property
    def total(self) -> int:
        """How many images or slides it is of."""
        return sum(self.counts.values())

    @property
    def gone(self) -> int:
        """How many are disposed of, erased or about to be."""
        return self.counts.get(ItemState.DECIDED, 0) + self.counts.get(ItemState.ERASED, 0)


def list_disposals() -> "QuerySet[Disposal]":
    """Return every disposal with how many items it has and had to keep, the latest first."""
    disposals = Disposal.objects.select_related("proposed_by", "approved_by", "withdrawn_by")
    return disposals.annotate(
        item_count=Count("items"),
        kept_count=Count("items", filter=Q(items__state=ItemState.KEPT)),
        gone_count=Count("items", filter=Q(items__state__in=[ItemState.DECIDED, ItemState.ERASED])),
    ).order_by("-proposed_at")


def get_disposal(user: "User", disposal_id: uuid.UUID) -> DisposalPage:
    """Return a disposal, else Http404."""
    people = Disposal.objects.select_related("proposed_by", "approved_by", "withdrawn_by")
    disposal = get_object_or_404(people, pk=disposal_id)
    items = disposal.items.order_by()
    counts = dict(items.values_list("state").annotate(count=Count("pk")))
    kept = items.filter(state=ItemState.KEPT).select_related("case", "image", "slide")
    return DisposalPage(
        disposal=disposal,
        counts=counts,
        size=items.aggregate(size=Sum("bytes"))["size"] or 0,
        cases=list(_by_case(items)),
        kept=list(kept.order_by("case__accession_number", "pk")[:MOST_KEPT]),
        may_approve=disposal.is_proposal and policies.can_approve_disposal(user, disposal),
        may_withdraw=disposal.is_proposal and policies.can_keep_records(user),
    )


def rows_of(disposal: Disposal) -> Iterator[tuple[object, ...]]:
    """Return a row of `COLUMNS` for each image or slide."""
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


def _by_case(items: "QuerySet[DisposalItem]") -> "QuerySet[DisposalItem, Any]":
    grouped = items.values("case__accession_number", "case").annotate(
        count=Count("pk"),
        gone=Count("pk", filter=Q(state__in=[ItemState.DECIDED, ItemState.ERASED])),
        kept=Count("pk", filter=Q(state=ItemState.KEPT)),
        counted_from=Min("counted_from"),
    )
    return grouped.order_by("case__accession_number")
