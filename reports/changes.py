"""What one version of a report says differently from another: pure comparison of two contents."""

from collections import Counter
from collections.abc import Callable, Iterator

from reports.content import (
    UNNAMED_ANALYSER,
    AnalyserResult,
    Change,
    Coded,
    Consultation,
    DifferentialRow,
    Reference,
    ReportContent,
    WhiteCount,
)
from reports.formats import (
    analyser_value,
    count_of,
    critical_call,
    critical_result,
    day,
    delta_text,
    grade_of,
    intervals_of,
    limits,
    moment,
)

ABSENT = "not reported"

Reader = Callable[[ReportContent], str]


def list_changes(old: ReportContent, new: ReportContent) -> tuple[Change, ...]:
    """Return what ``new`` says differently, in the order of the report."""
    return tuple(_changes(old, new))


def _changes(old: ReportContent, new: ReportContent) -> Iterator[Change]:
    yield from _compare(old, new, ITEMS)
    yield from _changed_analyser(old, new)
    yield from _changed_rows(old, new)
    yield from _changed_morphology(old, new)
    yield from _compare(old, new, LAST_ITEMS)
    yield from _changed_pictures(old, new)


def _compare(
    old: ReportContent, new: ReportContent, items: tuple[tuple[str, Reader], ...]
) -> Iterator[Change]:
    for item, read in items:
        before, after = read(old), read(new)
        if before != after:
            yield Change(item, before or ABSENT, after or ABSENT)


def _changed_rows(old: ReportContent, new: ReportContent) -> Iterator[Change]:
    """Compare the classes of either version; the order is that of the new one, then the old."""
    before = {row.cell_type.code: row for row in old.differential}
    after = {row.cell_type.code: row for row in new.differential}
    for code in dict.fromkeys((*after, *before)):
        was, is_now = before.get(code), after.get(code)
        if was != is_now:
            name = (is_now or before[code]).cell_type.display
            yield Change(name, *_row_texts(was, is_now))


def _row_texts(was: DifferentialRow | None, is_now: DifferentialRow | None) -> tuple[str, str]:
    """Write both; where the figures read alike, an interval differs: theirs or the reference."""
    for write in (_row, _with_intervals):
        texts = write(was), write(is_now)
        if texts[0] != texts[1]:
            return texts
    return _with_reference(was), _with_reference(is_now)


def _row(row: DifferentialRow | None) -> str:
    if row is None:
        return ABSENT
    parts = [count_of(row)]
    if row.absolute is not None:
        parts.append(f"{row.absolute} × 10⁹/L")  # noqa: RUF001
    if row.flag:
        parts.append(row.flag.display.lower())
    return ", ".join(parts)


def _with_intervals(row: DifferentialRow | None) -> str:
    return f"{_row(row)}, 95 % interval {intervals_of(row)}" if row else ABSENT


def _with_reference(row: DifferentialRow | None) -> str:
    reference = row.reference if row else None
    if reference is None:
        return f"{_row(row)}, no reference interval"
    return f"{_row(row)}, {_judged_by(reference)}"


def _judged_by(reference: Reference) -> str:
    state = "approved" if reference.is_approved else "unconfirmed"
    return f"reference {limits(reference)} (version {reference.version}, {state})"


def _judgement(flag: Coded | None, reference: Reference | None) -> str:
    """Say on which side of which interval a count lies, to stand after its value."""
    parts = [flag.display.lower() if flag else "", _judged_by(reference) if reference else ""]
    return "".join(f", {part}" for part in parts if part)


def _condition(content: ReportContent) -> str:
    note = content.specimen.condition_note
    return content.specimen.condition.display + (f": {note}" if note else "")


def _white_count(count: WhiteCount | None) -> str:
    if count is None:
        return ""
    corrected = "" if count.corrected is None else f", corrected to {count.corrected}"
    judged = _judgement(count.flag, count.reference)
    source = "" if count.source == UNNAMED_ANALYSER else f", {count.source}"
    when = moment(count.measured_at)
    return f"{count.value} × 10⁹/L{corrected}{judged}, {when}{source}"  # noqa: RUF001


def _changed_analyser(old: ReportContent, new: ReportContent) -> Iterator[Change]:
    """Compare what the analyser measured beside the white count."""
    before = {item.analyte.display: _measured(item) for item in old.analyser_results}
    after = {item.analyte.display: _measured(item) for item in new.analyser_results}
    for name in dict.fromkeys((*after, *before)):
        if before.get(name) != after.get(name):
            was, is_now = before.get(name, ABSENT), after.get(name, ABSENT)
            yield Change(f"{name}, by analyser", was, is_now)


def _measured(item: AnalyserResult) -> str:
    judged = _judgement(item.flag, item.reference)
    return f"{analyser_value(item)}{judged}, {moment(item.measured_at)}, {item.source}"


def _consulted(content: ReportContent) -> str:
    return "\n".join(
        "\n".join([f"{person.name}, {moment(person.answered_at)}", *_words(person)])
        for person in content.consultations
    )


def _words(person: Consultation) -> list[str]:
    return [f"{said.text}\n{said.diagnosis}".strip() for said in person.opinions]


def _critical_results(content: ReportContent) -> str:
    found = content.critical.results if content.critical else ()
    return "\n".join(critical_result(item) for item in found)


def _critical_calls(content: ReportContent) -> str:
    calls = content.critical.calls if content.critical else ()
    return "\n".join(critical_call(item) for item in calls)


def _platelets(content: ReportContent) -> str:
    seen = content.fields
    if seen is None:
        return ""
    if seen.platelets is None:
        return f"no estimate: {seen.withheld}"
    judged = _judgement(seen.platelets_flag, seen.platelets_reference)
    return f"about {seen.platelets} × 10⁹/L{judged}"  # noqa: RUF001


def _red_cells(content: ReportContent) -> str:
    cells = content.nucleated_red_cells
    return f"{cells.count} ({cells.per_100_leukocytes} per 100 leukocytes)"


def _other_cells(content: ReportContent) -> str:
    return ", ".join(f"{other.cell_type.display} {other.count}" for other in content.other_cells)


def _changed_pictures(old: ReportContent, new: ReportContent) -> Iterator[Change]:
    """Say how many cells of each class are pictured; other cells of the same classes show too."""
    if _picture_hashes(old) == _picture_hashes(new):
        return
    before, after = _pictures(old), _pictures(new)
    if before == after:
        after += " (other cells)"
    yield Change("Cell images", before or ABSENT, after or ABSENT)


def _picture_hashes(content: ReportContent) -> list[str]:
    return [item.pixels_sha256 for item in content.pictures]


def _pictures(content: ReportContent) -> str:
    numbers = Counter(item.cell_type.display for item in content.pictures)
    return ", ".join(f"{name} {number}" for name, number in numbers.items())


def _changed_morphology(old: ReportContent, new: ReportContent) -> Iterator[Change]:
    """Compare each graded feature; then the sentence of a line, where that alone changed."""
    before, after = _grades(old), _grades(new)
    for name in dict.fromkeys((*after, *before)):
        if before.get(name) != after.get(name):
            yield Change(name, before.get(name, ABSENT), after.get(name, ABSENT))
    if before == after:
        was, is_now = _statements(old), _statements(new)
        for name in dict.fromkeys((*is_now, *was)):
            if was.get(name) != is_now.get(name):
                yield Change(name, was.get(name, ABSENT), is_now.get(name, ABSENT))


def _grades(content: ReportContent) -> dict[str, str]:
    return {
        f"{line.line.display}: {item.feature.display}": grade_of(item)
        for line in content.morphology
        for item in line.features
    }


def _statements(content: ReportContent) -> dict[str, str]:
    return {line.line.display: line.statement for line in content.morphology}


def _deltas(content: ReportContent) -> str:
    return "\n".join(f"{each.analyte.display} {delta_text(each)}" for each in content.deltas)


def _software(content: ReportContent) -> str:
    return ", ".join(f"{item.name} {item.version}" for item in content.reading.software)


def _laboratory(content: ReportContent) -> str:
    head = content.laboratory
    return "\n".join(filter(None, (head.name, head.address, head.phone, head.director)))


ITEMS: tuple[tuple[str, Reader], ...] = (
    ("Patient", lambda content: content.patient.full_name),
    ("Date of birth", lambda content: day(content.patient.birth_date)),
    ("Sex", lambda content: content.patient.sex.display),
    ("MRN", lambda content: f"{content.patient.mrn} ({content.patient.mrn_issuer})"),
    ("Requested by", lambda content: content.request.ordering_clinician),
    ("Priority", lambda content: content.request.priority.display),
    ("Clinical details", lambda content: content.request.clinical_details),
    ("Specimen", lambda content: content.specimen.specimen_type.display),
    ("Stain", lambda content: content.specimen.stain.display),
    ("Specimen condition", _condition),
    ("Collected", lambda content: moment(content.specimen.collected_at)),
    ("Received", lambda content: moment(content.specimen.received_at)),
    ("Interpretation", lambda content: content.interpretation),
    ("Consulted", _consulted),
    ("Leukocytes (WBC)", lambda content: _white_count(content.white_count)),
    ("Leukocytes counted", lambda content: str(content.reading.leukocytes)),
    ("Critical results", _critical_results),
    ("Calls about critical results", _critical_calls),
)

LAST_ITEMS: tuple[tuple[str, Reader], ...] = (
    ("Nucleated red cells", _red_cells),
    ("Platelets", _platelets),
    ("Other cells seen", _other_cells),
    ("Delta to the last result", _deltas),
    ("Software", _software),
    ("Laboratory", _laboratory),
)
