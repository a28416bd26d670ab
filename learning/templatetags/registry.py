"""Figures as the registry's pages print them."""

from collections.abc import Mapping
from typing import Any

from django import template

from learning.enums import Standing

register = template.Library()

NOTHING = "\u2013"
"""A dash where a figure isn't defined."""

_CHIPS = {
    Standing.IN_USE: ("chip-good", "check-circle"),
    Standing.IN_SHADOW: ("chip-notice", "eye"),
    Standing.CANDIDATE: ("chip-accent", "hourglass-split"),
    Standing.REFUSED: ("chip-danger", "x-octagon"),
    Standing.RETIRED: ("chip-ended", "archive"),
}


@register.filter
def percent(value: float | None) -> str:
    """A share as a percentage with one decimal; a dash where it isn't defined."""
    return NOTHING if value is None else f"{100 * value:.1f} %"


@register.filter
def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    return NOTHING if value is None else f"{100 * value:+.1f}".replace("-", "\u2212")


@register.filter
def span(interval: list[float] | None) -> str:
    """An interval of a share in per cent."""
    return NOTHING if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


@register.filter
def point_span(interval: list[float] | None) -> str:
    """An interval of a difference in percentage points."""
    return NOTHING if interval is None else f"{points(interval[0])} to {points(interval[1])}"


@register.filter
def class_words(name: str) -> str:
    """A class's name for a reader."""
    return name.replace("_", " ")


@register.filter
def short_hash(value: str) -> str:
    """The first characters of a hash, which are enough to tell it from others."""
    return value[:12]


@register.inclusion_tag("learning/partials/_standing.html")
def standing_chip(standing: Standing) -> Mapping[str, Any]:
    """Where a version stands, as a chip."""
    tone, icon = _CHIPS[standing]
    return {"label": standing.label, "tone": tone, "icon": icon}


_VERDICTS = {
    "holds": ("At least as good", "chip-good", "check-circle"),
    "unclear": ("Not shown", "chip-danger", "question-octagon"),
    "worse": ("Worse", "chip-danger", "x-octagon"),
    "too_few": ("Too few to judge", "chip-ended", "dash-circle"),
}
_FIGURES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "ece": "Expected calibration error (lower is better)",
}


@register.inclusion_tag("learning/partials/_standing.html")
def verdict_chip(verdict: str) -> Mapping[str, Any]:
    """What the rule says of a class, as a chip."""
    label, tone, icon = _VERDICTS[verdict]
    return {"label": label, "tone": tone, "icon": icon}


@register.filter
def figure_words(name: str) -> str:
    """A figure's name for a reader."""
    return _FIGURES.get(name, name)


@register.filter
def p_value(value: float) -> str:
    """A probability of chance alone."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
