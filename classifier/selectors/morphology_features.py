"""Read models of the laboratory's morphology features and their versions."""

from collections import defaultdict
from dataclasses import dataclass

from django.utils import timezone

from classifier.enums import CellLine
from classifier.models import MorphologyFeature
from classifier.selectors.morphology import features_in_force, plain

UNUSED = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A version of a feature and where it stands."""

    feature: MorphologyFeature
    is_in_force: bool

    @property
    def state(self) -> str:
        """`retired`, `approved`, `unconfirmed` (shipped), `waiting` (proposed) or `superseded`."""
        if self.feature.retired_at:
            return "retired"
        if self.is_in_force:
            return "approved" if self.feature.is_approved else "unconfirmed"
        if self.feature.is_approved:
            is_to_come = self.feature.effective_from > timezone.localdate()
            return "to_come" if is_to_come else "superseded"
        return "waiting" if self.feature.proposed_by_id else "superseded"

    @property
    def can_be_approved(self) -> bool:
        """True for what is in force unconfirmed, and for proposals."""
        return self.state in ("unconfirmed", "waiting")

    @property
    def cut_offs(self) -> tuple[str, str, str]:
        """The cut-offs of 1+, 2+ and 3+ in words; a dash where a grade isn't used."""
        item = self.feature
        if not item.unit:
            return ("by eye",) * 3
        two = UNUSED if item.two_from is None else plain(item.two_from)
        if item.two_from is not None and item.three_above is not None:
            two += f"{UNUSED}{plain(item.three_above)}"
        return _above(item.one_above), two, _above(item.three_above)


@dataclass(frozen=True, slots=True)
class FeatureEntry:
    """A feature: its version in force, if any, and versions that wait for approval."""

    code: str
    current: Entry | None
    waiting: tuple[Entry, ...]
    latest: MorphologyFeature


@dataclass(frozen=True, slots=True)
class LineEntry:
    """The features of a cell line."""

    line: CellLine
    features: tuple[FeatureEntry, ...]


def list_features() -> tuple[LineEntry, ...]:
    """Return every feature of the laboratory, retired ones last."""
    in_force = {item.pk for item in features_in_force()}
    by_code: defaultdict[str, list[Entry]] = defaultdict(list)
    rows = MorphologyFeature.objects.order_by("position", "name", "-version")
    for item in rows.select_related("approved_by", "proposed_by", "retired_by"):
        by_code[item.code].append(Entry(item, item.pk in in_force))
    features = [_feature(code, entries) for code, entries in by_code.items()]
    features.sort(key=lambda item: item.current is None and not item.waiting)
    return tuple(
        LineEntry(line, tuple(item for item in features if item.latest.line == line))
        for line in CellLine
    )


def list_versions(code: str) -> list[Entry]:
    """Return the versions of a feature, latest first."""
    in_force = {item.pk for item in features_in_force()}
    rows = MorphologyFeature.objects.filter(code=code).order_by("-version")
    rows = rows.select_related("approved_by", "proposed_by", "retired_by")
    return [Entry(item, item.pk in in_force) for item in rows]


def _feature(code: str, entries: list[Entry]) -> FeatureEntry:
    current = next((entry for entry in entries if entry.is_in_force), None)
    waiting = tuple(entry for entry in entries if entry.state in ("waiting", "to_come"))
    return FeatureEntry(code, current, waiting, max((e.feature for e in entries), key=_version))


def _version(feature: MorphologyFeature) -> int:
    return feature.version


def _above(limit: object) -> str:
    return UNUSED if limit is None else f"> {plain(limit)}"
