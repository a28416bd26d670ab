"""The laboratory's limits as its pages list them: in force, proposed, past."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from classifier import policies
from classifier.enums import CriticalRule, Quantity
from classifier.models import CriticalLimit, DeltaLimit, ReferenceInterval

if TYPE_CHECKING:
    from accounts.models import User

Limit = ReferenceInterval | CriticalLimit | DeltaLimit

UNIT_WORDS = {Quantity.ABSOLUTE: "× 10⁹/L", Quantity.PERCENT: "%"}  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of limit, as pages name it."""

    slug: str
    model: type[Limit]
    title: str
    one: str
    meaning: str


KINDS: Mapping[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(
            "reference",
            ReferenceInterval,
            "Reference intervals",
            "reference interval",
            "A result outside is marked low or high. The absolute count is judged first, the "
            "percentage only where no white count is known.",
        ),
        Kind(
            "critical",
            CriticalLimit,
            "Critical limits",
            "critical limit",
            "A result beyond has to be told at once and read back; the report can't be signed "
            "before. A value on the limit is not beyond it.",
        ),
        Kind(
            "delta",
            DeltaLimit,
            "Limits of change",
            "limit of change",
            "A change from the patient's previous result by more than this calls for a look.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class LimitView:
    """One version of a limit in words, and what the reader may do with it."""

    limit: Limit
    kind: Kind
    says: str
    applies_to: str
    standing: str
    is_judging: bool
    may_approve: bool
    may_retire: bool


@dataclass(frozen=True, slots=True)
class Group:
    """All versions of the limits of one analyte."""

    label: str
    judging: tuple[LimitView, ...]
    coming: tuple[LimitView, ...]
    past: tuple[LimitView, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """All limits of one kind."""

    kind: Kind
    groups: tuple[Group, ...]


def get_kind(slug: str) -> Kind:
    """Return a kind of limit by its name in addresses, else Http404."""
    if slug not in KINDS:
        raise Http404
    return KINDS[slug]


def get_limit(kind: Kind, pk: int) -> Limit:
    """Return one version of a limit, else Http404."""
    return cast("Limit", get_object_or_404(kind.model, pk=pk))


def list_sections(user: "User") -> list[Section]:
    """Return every version of every limit; three queries, however many there are."""
    return [Section(kind, tuple(_groups(kind, user))) for kind in KINDS.values()]


def list_versions(user: "User", kind: Kind, limit: Limit) -> list[LimitView]:
    """Return all versions of one limit, the latest first."""
    key = {name: getattr(limit, name) for name in limit.KEY}
    rows = _with_people(kind).filter(**key).order_by("-version")
    return _views(kind, list(rows), user)


def describe(limit: Limit) -> str:
    """Return what a version says, in words."""
    match limit:
        case DeltaLimit():
            return f"more than {_plain(limit.percent)} % within {limit.window_hours} h"
        case CriticalLimit():
            return _critical(limit)
    unit = UNIT_WORDS[Quantity(limit.quantity)]
    return f"{_plain(limit.low)}\u2013{_plain(limit.high)} {unit}"


def label_of(limit: Limit) -> str:
    """Return the name of what a limit judges."""
    return str(limit.get_analyte_display())


def _critical(limit: CriticalLimit) -> str:
    if limit.rule == CriticalRule.SEEN:
        known = f"; known for {limit.known_days} days after a report" if limit.known_days else ""
        return f"any such cell named by a human{known}"
    bounds = (("below", limit.low), ("above", limit.high))
    said = " or ".join(f"{word} {_plain(value)}" for word, value in bounds if value is not None)
    return f"{said} {UNIT_WORDS[Quantity(limit.quantity)]}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _groups(kind: Kind, user: "User") -> Iterator[Group]:
    views = _views(kind, list(_with_people(kind)), user)
    views.sort(key=lambda view: (_rank(view.limit), _order(view.limit), -view.limit.version))
    for label, own in groupby(views, key=lambda view: label_of(view.limit)):
        rows = list(own)
        yield Group(
            label=label,
            judging=tuple(row for row in rows if row.is_judging),
            coming=tuple(row for row in rows if not (row.is_judging or row.limit.retired_on)),
            past=tuple(row for row in rows if row.limit.retired_on and not row.is_judging),
        )


def _rank(limit: Limit) -> int:
    """Sort analytes in the order in which they are offered."""
    return [name for name, _ in limit.ANALYTES].index(limit.analyte)


def _order(limit: Limit) -> tuple[str, str, int]:
    if isinstance(limit, DeltaLimit):
        return "", "", 0
    return limit.quantity, limit.sex, limit.from_age


def _with_people(kind: Kind) -> QuerySet[Any]:
    return kind.model.objects.select_related("proposed_by", "approved_by", "retired_by")


def _views(kind: Kind, limits: Sequence[Limit], user: "User") -> list[LimitView]:
    today = timezone.localdate()
    judging = _judging(limits, today)
    approves = policies.can_approve_limits(user)
    return [
        LimitView(
            limit=limit,
            kind=kind,
            says=describe(limit),
            applies_to=_applies_to(limit),
            standing=_standing(limit, today, is_judging=limit.pk in judging),
            is_judging=limit.pk in judging,
            may_approve=approves
            and not limit.is_approved
            and not limit.retired_on
            and limit.proposed_by_id != user.pk,
            may_retire=not limit.retired_on
            and (approves or (limit.is_proposal and limit.proposed_by_id == user.pk)),
        )
        for limit in limits
    ]


def _judging(limits: Sequence[Limit], today: date) -> set[int]:
    """Return the versions that judge blood taken today: of one limit the approved, then newest."""
    chosen: dict[tuple[object, ...], Limit] = {}
    for limit in sorted(limits, key=lambda each: (each.is_approved, each.version)):
        begun = limit.effective_from <= today
        ended = limit.retired_on is not None and limit.retired_on <= today
        if begun and not ended and not limit.is_proposal:
            chosen[tuple(getattr(limit, name) for name in limit.KEY)] = limit
    return {limit.pk for limit in chosen.values()}


def _applies_to(limit: Limit) -> str:
    if isinstance(limit, DeltaLimit):
        return ""
    people = str(limit.get_sex_display()) if limit.sex else "All"
    return people if limit.from_age == 0 and limit.to_age is None else f"{people}, {limit.ages}"


def _standing(limit: Limit, today: date, *, is_judging: bool) -> str:
    if limit.is_proposal:
        return "proposed"
    if limit.retired_on and limit.retired_on <= today:
        return "withdrawn" if not limit.is_approved and limit.proposed_by_id else "retired"
    if limit.effective_from > today:
        return "approved" if limit.is_approved else "not approved"
    if not is_judging:
        return "superseded"
    return "approved" if limit.is_approved else "not approved"
