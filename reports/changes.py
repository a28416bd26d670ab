"""What one version of a report says differently from another: pure comparison of two contents."""

from collections.abc import Callable, Iterator

from reports.content import Change, DifferentialRow, ReportContent, WhiteCount
from reports.formats import count_of, day, limits, moment

ABSENT = "not reported"

Reader = Callable[[ReportContent], str]

_ITEMS: tuple[tuple[str, Reader], ...] = (
    ("Patient", lambda content: content.patient.full_name),
    ("Date of birth", lambda content: day(content.patient.birth_date)),
    ("Sex", lambda content: content.patient.sex.display),
    ("MRN", lambda content: f"{content.patient.mrn} ({content.patient.mrn_issuer})"),
    ("Requested by", lambda content: content.request.ordering_clinician),
    ("Priority", lambda content: content.request.priority.display),
    ("Clinical details", lambda content: content.request.clinical_details),
    ("Specimen", lambda content: content.specimen.specimen_type.display),
    ("Stain", lambda content: content.specimen.stain.display),
    ("Specimen condition", lambda content: _condition(content)),
    ("Collected", lambda content: moment(content.specimen.collected_at)),
    ("Received", lambda content: moment(content.specimen.received_at)),
    ("Interpretation", lambda content: content.interpretation),
    ("Leukocytes (WBC)", lambda content: _white_count(content.white_count)),
    ("Leukocytes counted", lambda content: str(content.reading.leukocytes)),
)

_LAST_ITEMS: tuple[tuple[str, Reader], ...] = (
    ("Nucleated red cells", lambda content: _red_cells(content)),
    ("Other cells seen", lambda content: _other_cells(content)),
    ("Cell images", lambda content: _pictures(content)),
    ("Software", lambda content: _software(content)),
    ("Laboratory", lambda content: _laboratory(content)),
)


def list_changes(old: ReportContent, new: ReportContent) -> tuple[Change, ...]:
    """Return what ``new`` says differently, in the order of the report."""
    return tuple(_changes(old, new))


def _changes(old: ReportContent, new: ReportContent) -> Iterator[Change]:
    yield from _compare(old, new, _ITEMS)
    yield from _changed_rows(old, new)
    yield from _compare(old, new, _LAST_ITEMS)


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
        if _row(was) != _row(is_now):
            name = (is_now or before[code]).cell_type.display
            yield Change(name, _row(was), _row(is_now))


def _row(row: DifferentialRow | None) -> str:
    if row is None:
        return ABSENT
    parts = [count_of(row)]
    if row.absolute is not None:
        parts.append(f"{row.absolute} × 10⁹/L")  # noqa: RUF001
    if row.reference:
        parts.append(f"reference {limits(row.reference)}")
    if row.flag:
        parts.append(row.flag.display.lower())
    return ", ".join(parts)


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


def _pictures(content: ReportContent) -> str:
    """Name each picture by class and the start of its hash, so that another choice shows."""
    names = [f"{item.cell_type.display} {item.pixels_sha256[:6]}" for item in content.pictures]
    return ", ".join(names)


def _software(content: ReportContent) -> str:
    return ", ".join(f"{item.name} {item.version}" for item in content.reading.software)


def _laboratory(content: ReportContent) -> str:
    head = content.laboratory
    return "\n".join(filter(None, (head.name, head.address, head.phone, head.director)))
