"""What the report's document needs beyond Django's own tags."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import sqrt

from django import template

from reports import formats
from reports.content import CellPicture, DifferentialRow, ReportContent, WhiteCount
from reports.pictures import FoundCell
from reports.verification import QRDrawing, draw_qr, entrance_of, spell

register = template.Library()
for write in (
    formats.moment,
    formats.moment_exact,
    formats.w3c_moment,
    formats.day,
    formats.limits,
    formats.delta_text,
    formats.delta_limit,
    formats.fingerprint,
    formats.percent_of,
    formats.flag_sign,
    formats.critical_value,
    formats.critical_limit,
    spell,
    entrance_of,
):
    register.filter(write)

AXIS_WIDTH = 200
# Marks of the percent axis, chosen so that their labels don't touch on a root scale.
AXIS_TICKS = (0, 1, 5, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Bar:
    """Places on the axis, 0 to `AXIS_WIDTH`: point, its interval, the reference band."""

    point: float
    low: float
    high: float
    band_start: float | None
    band_width: float | None
    text: str
    naming_low: float | None
    naming_high: float | None


@register.simple_tag
def qr_drawing(address: str) -> QRDrawing:
    """Return the drawing of the address at which a report is verified."""
    return draw_qr(address)


@register.simple_tag
def interval_bar(row: DifferentialRow, white_count: WhiteCount | None) -> Bar | None:
    """Return the drawing of a row: its percentage, interval and reference band.

    Absolute limits are drawn as the percentages they are at this leukocyte count.
    """
    if row.percent is None or row.ci_low is None or row.ci_high is None:
        return None
    text = f"{row.percent} %, 95 % interval {row.ci_low} to {row.ci_high} %"
    if row.naming_low is not None:
        text += f", with naming errors {row.naming_low} to {row.naming_high} %"
    band = _band(row, white_count)
    start = place(band[0]) if band else None
    width = round(place(band[1]) - place(band[0]), 2) if band else None
    if row.flag:
        text += f", {row.flag.display.lower()}"
    ends = [place(end) if end is not None else None for end in (row.naming_low, row.naming_high)]
    return Bar(place(row.percent), place(row.ci_low), place(row.ci_high), start, width, text, *ends)


def _band(row: DifferentialRow, white_count: WhiteCount | None) -> tuple[Decimal, Decimal] | None:
    if row.reference is None:
        return None
    low, high = row.reference.low, row.reference.high
    if row.reference.quantity.code == "percent":
        return low, high
    if white_count is None or not white_count.basis:
        return None
    return 100 * low / white_count.basis, 100 * high / white_count.basis


def place(percent: Decimal | int) -> float:
    """Return where a percentage lies: a root scale shows 1 % and 60 % on one axis."""
    return round(AXIS_WIDTH * sqrt(max(0.0, min(1.0, float(percent) / 100))), 2)


@register.simple_tag
def axis_ticks() -> list[tuple[int, float]]:
    """Return the marks of the percent axis with their places."""
    return [(tick, place(tick)) for tick in AXIS_TICKS]


@register.filter
def issued_at(content: ReportContent) -> datetime | None:
    """Return when the version was issued: at its signature, a withdrawal when confirmed."""
    if content.withdrawal:
        return content.withdrawal.confirmed_at
    return content.signature.signed_at if content.signature else None


@register.filter
def named_by(picture: CellPicture) -> str:
    """Say who named the cell on a picture."""
    return "pathologist" if picture.is_named_by_human else "software, reviewed"


@register.filter
def meaning_parts(label: str) -> list[str]:
    """Split the label of a meaning into its name and the sentence that explains it."""
    return label.split(": ", 1)


@register.filter
def is_shown(item: FoundCell, shown: set[str]) -> bool:
    """Say whether a cell is among those printed."""
    return str(item.cell.pk) in shown
