"""Read models of graded morphology: features in force, what was found, what was found before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from classifier.enums import CaseStatus, CellLine
from classifier.models import Case, MorphologyFeature, MorphologyFinding
from classifier.models.case import SIGNED_STATUSES

NORMAL_WORDING: Mapping[str, str] = {
    CellLine.RED: "Normocytic, normochromic; none of the features looked for",
    CellLine.WHITE: "Of normal form; none of the features looked for",
    CellLine.PLATELET: "Of normal size and form",
}
GRADE_NAMES = ("0", "1+", "2+", "3+")
GRADE_WORDS = ("absent", "few", "moderate", "many")


@dataclass(frozen=True, slots=True)
class Row:
    """A feature on the page: what was found of it now and in the patient's last signed case."""

    feature: MorphologyFeature
    finding: MorphologyFinding | None
    previous: MorphologyFinding | None

    @property
    def code(self) -> str:
        """The feature's lasting name."""
        return self.feature.code

    @property
    def grade(self) -> int | None:
        """The grade, or None if nobody looked."""
        return self.finding.grade if self.finding else None

    @property
    def grade_name(self) -> str:
        """The grade as it is written; empty if nobody looked."""
        return "" if self.grade is None else GRADE_NAMES[self.grade]

    @property
    def previous_name(self) -> str:
        """The grade of the patient's last signed case; empty if there is none."""
        return "" if self.previous is None else GRADE_NAMES[self.previous.grade or 0]

    @property
    def count_text(self) -> str:
        """The count as it was typed; empty without one."""
        found = self.finding
        return "" if found is None or found.count is None else plain(found.count)

    @property
    def signature(self) -> str:
        """Who graded and when; empty where nobody did."""
        if self.finding is None:
            return ""
        at = timezone.localtime(self.finding.created_at)
        return f"{self.finding.created_by.full_name}, {at:%d %b %H:%M}"

    @property
    def choices(self) -> list[tuple[int, str, str, bool]]:
        """Every grade with its name, its word, and whether this feature uses it."""
        used = self.feature.grades
        return [
            (grade, name, word, grade in used)
            for grade, (name, word) in enumerate(zip(GRADE_NAMES, GRADE_WORDS, strict=True))
        ]

    @property
    def note(self) -> str:
        """What the grade rests on: the count, and whether the grade overrules it."""
        found = self.finding
        if found is None or found.count is None:
            return ""
        text = f"{self.count_text} {self.feature.get_unit_display()}"
        if not found.is_overruled:
            return text
        follows = self.feature.grade_of(found.count)
        return f"{text} would be {GRADE_NAMES[follows or 0]}: overruled"

    def as_json(self) -> dict[str, Any]:
        """Return what the page's script needs to show the row."""
        return {
            "code": self.code,
            "name": self.feature.name,
            "grade": self.grade,
            "gradeName": self.grade_name,
            "count": self.count_text,
            "comment": self.finding.comment if self.finding else "",
            "note": self.note,
            "signature": self.signature,
        }


@dataclass(frozen=True, slots=True)
class Line:
    """Red cells, white cells or platelets, with the features of the laboratory."""

    line: CellLine
    rows: tuple[Row, ...]

    @property
    def common(self) -> tuple[Row, ...]:
        """The rows shown first: features always looked for, and whatever was found."""
        return tuple(row for row in self.rows if row.feature.is_common or row.grade is not None)

    @property
    def further(self) -> tuple[Row, ...]:
        """The rows that wait behind "more"."""
        return tuple(row for row in self.rows if row not in self.common)

    @property
    def is_normal(self) -> bool:
        """True if every feature that is shown first was looked for and nothing was found."""
        grades = [row.grade for row in self.rows if row.feature.is_common]
        found = any(row.grade for row in self.rows)
        return bool(grades) and not found and all(grade == 0 for grade in grades)

    @property
    def has_unconfirmed(self) -> bool:
        """True if something was graded by cut-offs that nobody has approved."""
        return any(row.finding and not row.feature.is_approved for row in self.rows)

    @property
    def statement(self) -> str:
        """The line in words: normal, what was found, or that nobody looked."""
        if self.is_normal:
            return NORMAL_WORDING[self.line]
        found = [f"{row.feature.name} {GRADE_NAMES[row.grade]}" for row in self.rows if row.grade]
        if found:
            return ", ".join(found)
        graded = sum(row.grade is not None for row in self.rows)
        return f"{graded} looked for, none found" if graded else "Not graded"

    @property
    def rest_label(self) -> str:
        """What the shortcut says: the line is normal, or what is left is absent."""
        return "Rest absent" if any(row.grade for row in self.rows) else "Normal"


def features_in_force(on: date | None = None) -> list[MorphologyFeature]:
    """Return the version in force of each feature, in the laboratory's order.

    It is the latest approved version whose day has come; of a feature that nobody approved yet,
    the one shipped with the product. A feature whose version in force was retired is out of use.
    """
    today = on or timezone.localdate()
    chosen: dict[str, MorphologyFeature] = {}
    for item in MorphologyFeature.objects.filter(effective_from__lte=today).order_by("version"):
        is_candidate = item.is_approved or item.proposed_by_id is None
        former = chosen.get(item.code)
        if is_candidate and (former is None or item.is_approved or not former.is_approved):
            chosen[item.code] = item
    used = (item for item in chosen.values() if item.retired_at is None)
    return sorted(used, key=lambda item: (item.position, item.name))


def latest_findings(case: Case) -> dict[str, MorphologyFinding]:
    """Return what counts of each feature of the case, by the feature's code."""
    return _latest(MorphologyFinding.objects.filter(review__case=case))


def list_lines(case: Case) -> tuple[Line, ...]:
    """Return the three cell lines with their features and findings.

    A finding keeps the version of the cut-offs by which it was graded, in force or not.
    """
    found, before = latest_findings(case), previous_findings(case)
    by_line: defaultdict[str, list[Row]] = defaultdict(list)
    for feature in _features_for(found):
        code = feature.code
        by_line[feature.line].append(Row(feature, found.get(code), before.get(code)))
    return tuple(Line(line, tuple(by_line[line])) for line in CellLine)


def previous_findings(case: Case) -> dict[str, MorphologyFinding]:
    """Return the grades of the patient's last signed case before this one, as signed."""
    statuses = set(SIGNED_STATUSES) - {CaseStatus.ENTERED_IN_ERROR}
    signed = Case.objects.filter(patient=case.patient_id, status__in=statuses)
    earlier = signed.filter(registered_at__lt=case.registered_at, signed_at__isnull=False)
    last = earlier.order_by("-signed_at").first()
    if last is None:
        return {}
    return _latest(
        MorphologyFinding.objects.filter(review__case=last, created_at__lte=last.signed_at)
    )


def describe_rows(case: Case, codes: Iterable[str]) -> tuple[list[Row], list[Line]]:
    """Return the rows of these features and the lines that they belong to."""
    wanted = set(codes)
    lines = [line for line in list_lines(case) if any(row.code in wanted for row in line.rows)]
    rows = [row for line in lines for row in line.rows if row.code in wanted]
    return rows, lines


def plain(value: object) -> str:
    """Return a decimal without zeros that say nothing."""
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _features_for(found: Mapping[str, MorphologyFinding]) -> Sequence[MorphologyFeature]:
    in_force = {item.code: item for item in features_in_force()}
    graded = {code: finding.feature for code, finding in found.items()}
    features = (in_force | graded).values()
    return sorted(features, key=lambda item: (item.position, item.name))


def _latest(rows: Any) -> dict[str, MorphologyFinding]:
    newest = rows.order_by("feature__code", "-pk").distinct("feature__code")
    return {
        row.feature.code: row
        for row in newest.select_related("feature", "created_by")
        if not row.is_withdrawn
    }
