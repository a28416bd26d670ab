"""Times, shares and names as the boards write them."""

from collections.abc import Iterable
from datetime import timedelta

from django import template

from classifier.enums import CellType, ImageKind
from quality.agreement import Figure
from quality.analytes import title_of
from quality.enums import Rule
from quality.selectors.drift import SIGNALS

register = template.Library()


@register.filter
def duration(time: timedelta | None) -> str:
    """Return the two largest units of a time: 2 d 4 h, 3 h 14 min, 25 min; an en dash without."""
    if time is None:
        return "–"  # noqa: RUF001
    minutes = round(time.total_seconds() / 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {rest} min"
    return f"{rest} min" if minutes else "under 1 min"


@register.filter
def percent(share: float) -> str:
    """Return a share in percent with one decimal."""
    return f"{100 * share:.1f} %"


@register.filter
def three_places(value: float) -> str:
    """Return a figure with three decimals."""
    return f"{value:.3f}"


@register.filter
def signal_title(name: str) -> str:
    """Return what a figure of the drift board is called."""
    return SIGNALS[name][0] if name in SIGNALS else name


@register.filter
def analyte_title(name: str) -> str:
    """Return what a figure of a control is called."""
    return title_of(name)


@register.filter
def two_places(value: float | None) -> str:
    """Return a figure with two decimals; an en dash without one."""
    return "–" if value is None else f"{value:.2f}"  # noqa: RUF001


@register.filter
def interval(figure: Figure | None) -> str:
    """Return a figure's limits with two decimals; words where it has none."""
    if figure is None or figure.low is None or figure.high is None:
        return "no limits"
    return f"{figure.low:.2f} to {figure.high:.2f}"


@register.filter
def rule_names(rules: Iterable[str]) -> str:
    """Return Westgard's rules as a reader says them."""
    return ", ".join(str(Rule(rule).label) for rule in rules)


@register.filter
def spoken(key: str) -> str:
    """Return a class, a kind of image or a name as a reader says it."""
    known = dict(CellType.choices) | dict(ImageKind.choices)
    return str(known.get(key, key))
