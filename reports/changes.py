"""What one version of a report says differently from another: pure comparison of two contents."""

from collections import Counter
from collections.abc import Callable, Iterator

from reports.content import Change, DifferentialRow, ReportContent, WhiteCount
from reports.formats import count_of, day, limits, moment

ABSENT = "not reported"

Reader = Callable[[ReportContent], str]


def list_changes(old: ReportContent, new: ReportContent) -> tuple[Change, ...]:
    """Return what ``new`` says differently, in the order of the report."""
    return tuple(_changes(old, new))


def _changes(old: ReportContent, new: ReportContent) -> Iterator[Change]:
    yield from _compare(old, new, ITEMS)
    yield from _changed_rows(old, new)
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
    """Write both; where the figures read alike, the interval they were held against differs."""
    texts = _row(was), _row(is_now)
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


def _with_reference(row: DifferentialRow | None) -> str:
    reference = row.reference if row else None
    if reference is None:
        return f"{_row(row)}, no reference interval"
    state = "approved" if reference.is_approved else "unconfirmed"
    return f"{_row(row)}, reference {limits(reference)} (version {reference.version}, {state})"


def _condition(content: ReportContent) -> str:
    note = content.specimen.condition_note
    return content.specimen.condition.display + (f": {note}" if note else "")


def _white_count(count: WhiteCount | None) -> str:
    if count is None:
        return ""
    return f"{count.value} × 10⁹/L, {moment(count.measured_at)}"  # noqa: RUF001


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
    ("Leukocytes (WBC)", lambda content: _white_count(content.white_count)),
    ("Leukocytes counted", lambda content: str(content.reading.leukocytes)),
)

LAST_ITEMS: tuple[tuple[str, Reader], ...] = (
    ("Nucleated red cells", _red_cells),
    ("Other cells seen", _other_cells),
    ("Software", _software),
    ("Laboratory", _laboratory),
)
