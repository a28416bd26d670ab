"""Which images and slides are due by the rules, and which are held back and why."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import AuditEvent
from classifier.enums import CaseStatus, ImageKind, SlideStatus
from classifier.models import Case, CaseOrigin, Slide, SmearImage
from reports.models import SignOff
from retention.enums import CountsFrom, ItemState, RecordType
from retention.models import DisposalItem, RetentionRule
from retention.selectors.keeping import reasons_to_keep
from retention.selectors.rules import rules_in_force

MOST_CASES = 500
"""Of one list and of one proposal; the oldest come first."""
ENDING = ("case.reject", "case.cancel", "case.withdraw_report")
ENDED = (CaseStatus.REJECTED, CaseStatus.CANCELLED, CaseStatus.ENTERED_IN_ERROR)
KINDS = {
    RecordType.CELL_IMAGES: ImageKind.CELL,
    RecordType.FIELD_IMAGES: ImageKind.FIELD,
}


@dataclass(frozen=True, slots=True)
class DueCase:
    """A case whose time is over: since which event by which rule, with how much, and why kept."""

    case: Case
    rule: RetentionRule
    counted_from: date
    count: int
    size: int
    why_kept: str


def list_due(kind: RecordType, day: date | None = None) -> list[DueCase]:
    """Return the cases whose images or slides of a kind are past every rule, the oldest first."""
    day = day or timezone.localdate()
    rules = list(rules_in_force(kind, day))
    if not rules:
        return []
    cases = list(_past(_events(_with_records(kind)), rules, day).order_by("event_at")[:MOST_CASES])
    why = why_kept(kind, [case.pk for case in cases], day)
    sizes = _sizes(kind, cases)
    found = []
    for case in cases:
        rule, since = _decisive(case, rules, day) or (None, None)
        if rule is not None and since is not None:
            found.append(DueCase(case, rule, since, *sizes[case.pk], why.get(case.pk, "")))
    return found


def why_kept(kind: RecordType, cases: Iterable[uuid.UUID], day: date) -> Mapping[uuid.UUID, str]:
    """Return why each case is held back, for those that are.

    Pictures are shared with a case that was registered again, so what speaks for either holds
    both, also that its own time is not over.
    """
    wanted = set(cases)
    partners = _partners(wanted)
    everyone = wanted.union(*partners.values())
    own = reasons_to_keep(everyone)
    rules = list(rules_in_force(kind, day))
    others = everyone - wanted
    over = _past(_events(Case.objects.filter(pk__in=others)), rules, day) if others else ()
    past = {case.pk for case in over}
    found = {pk: own[pk] for pk in wanted if pk in own}
    for pk in wanted - set(found):
        for other in partners[pk]:
            if other in own:
                found[pk] = f"Shared with a case registered again: {own[other]}"
            elif other not in past | wanted:
                found[pk] = "Its pictures are shared with a case whose time isn't over."
    return found


def is_past(kind: RecordType, case_id: uuid.UUID, day: date) -> tuple[RetentionRule, date] | None:
    """Return the decisive rule and the day from which it counts, if a case's time is over."""
    rules = list(rules_in_force(kind, day))
    case = _events(Case.objects.filter(pk=case_id)).first()
    return _decisive(case, rules, day) if case and rules else None


def records_of(kind: RecordType, cases: Sequence[uuid.UUID]) -> "QuerySet[Any]":
    """Return the images or slides of a kind that are kept and in no other open disposal."""
    if kind == RecordType.SLIDES:
        rows: Any = Slide.objects.filter(status=SlideStatus.READY)
    else:
        rows = SmearImage.objects.filter(kind=KINDS[kind])
    return rows.filter(case__in=cases, disposed_at=None).exclude(pk__in=_in_work(kind))


def _in_work(kind: RecordType) -> "QuerySet[Any]":
    thing = "slide" if kind == RecordType.SLIDES else "image"
    items = DisposalItem.objects.filter(
        disposal__withdrawn_at=None, disposal__finished_at=None, state=ItemState.WAITING
    )
    return items.filter(**{f"{thing}__isnull": False}).values(thing)


def _with_records(kind: RecordType) -> "QuerySet[Case]":
    if kind == RecordType.SLIDES:
        rows: Any = Slide.objects.filter(status=SlideStatus.READY)
    else:
        rows = SmearImage.objects.filter(kind=KINDS[kind])
    rows = rows.filter(disposed_at=None).exclude(pk__in=_in_work(kind))
    return Case.objects.filter(pk__in=rows.values("case"))


def _events(cases: "QuerySet[Case]") -> "QuerySet[Any]":
    """Add when a case was signed last, when it ended, and when its specimen was received."""
    ending = AuditEvent.objects.filter(
        target_type="classifier.case",
        target_id=Cast(OuterRef("pk"), CharField()),
        action__in=ENDING,
    )
    signing = SignOff.objects.filter(report__case=OuterRef("pk")).order_by("-signed_at")
    return cases.annotate(
        last_signed_at=Subquery(signing.values("signed_at")[:1]),
        ended_at=Subquery(ending.order_by("-at").values("at")[:1]),
        event_at=F("specimen__received_at"),
    )


def _past(cases: "QuerySet[Any]", rules: Sequence[RetentionRule], day: date) -> "QuerySet[Any]":
    """Keep the cases to which a rule applies, and all that apply are past."""
    signed, ended = _statuses(CountsFrom.SIGNED), _statuses(CountsFrom.ENDED)
    by_event = {CountsFrom(rule.counts_from): rule.period.before(day) for rule in rules}
    received = by_event.get(CountsFrom.RECEIVED)
    both = Q(event_at__date__lte=received) if received else Q()
    any_of = Q(pk__in=[])
    for event, statuses, column in (
        (CountsFrom.SIGNED, signed, "last_signed_at"),
        (CountsFrom.ENDED, ended, "ended_at"),
    ):
        if event in by_event:
            any_of |= Q(status__in=statuses, **{f"{column}__date__lte": by_event[event]}) & both
        elif received:
            any_of |= Q(status__in=statuses) & both
    return cases.filter(any_of)


def _statuses(event: CountsFrom) -> tuple[CaseStatus, ...]:
    """Return in which states of a case an event counts; what is being amended was signed."""
    if event == CountsFrom.SIGNED:
        return (CaseStatus.SIGNED_OFF, CaseStatus.AMENDING)
    return ENDED


def _decisive(
    case: Any, rules: Sequence[RetentionRule], day: date
) -> tuple[RetentionRule, date] | None:
    """Return the applicable rule that ended last and its event's day; None if one is not past."""
    events = [(rule, _event_of(case, rule)) for rule in rules]
    applying = [(rule, timezone.localdate(at)) for rule, at in events if at is not None]
    if not applying or any(since > rule.period.before(day) for rule, since in applying):
        return None
    return min(applying, key=lambda pair: pair[0].period.before(day) - pair[1])


def _event_of(case: Any, rule: RetentionRule) -> datetime | None:
    event = CountsFrom(rule.counts_from)
    if event == CountsFrom.RECEIVED:
        at = case.event_at if case.status in (*_statuses(CountsFrom.SIGNED), *ENDED) else None
    elif case.status not in _statuses(event):
        return None
    else:
        at = case.last_signed_at if event == CountsFrom.SIGNED else case.ended_at
    return at


def _partners(cases: set[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return with which cases each shares pictures, over however many registrations."""
    links: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    seen, waiting = set(cases), set(cases)
    while waiting:
        pairs = CaseOrigin.objects.filter(Q(case__in=waiting) | Q(source__in=waiting))
        waiting = set()
        for one, other in pairs.values_list("case", "source"):
            links[one].add(other)
            links[other].add(one)
            waiting |= {one, other} - seen
        seen |= waiting
    return {pk: _reached(pk, links) for pk in cases}


def _reached(start: uuid.UUID, links: Mapping[uuid.UUID, set[uuid.UUID]]) -> set[uuid.UUID]:
    reached, waiting = {start}, {start}
    while waiting:
        waiting = {other for pk in waiting for other in links.get(pk, ())} - reached
        reached |= waiting
    return reached - {start}


def _sizes(kind: RecordType, cases: Sequence[Case]) -> Mapping[uuid.UUID, tuple[int, int]]:
    """Return how many images or slides of each case there are, and their bytes as uploaded."""
    rows = records_of(kind, [case.pk for case in cases]).order_by().values("case")
    counted = rows.annotate(count=Count("pk"), size=Sum("original_bytes"))
    found = {row["case"]: (row["count"], row["size"] or 0) for row in counted}
    return defaultdict(lambda: (0, 0), found)
