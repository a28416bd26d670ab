"""How figures of agreement are written for a reader."""

from django import template

from classifier.agreement import Estimate
from classifier.selectors.class_keys import SHORT_NAMES
from classifier.selectors.reference_results import label_of

register = template.Library()


@register.filter
def class_label(name: str) -> str:
    """Name a class, or the machine's doubt."""
    return label_of(name)


@register.filter
def class_short(name: str) -> str:
    """Name a class by its letters, as on thumbnails."""
    return SHORT_NAMES.get(name, label_of(name))


@register.filter
def with_limits(found: Estimate | None) -> str:
    """Write a proportion as percent with its limits and n; a dash where nothing was to name."""
    if found is None:
        return "\N{EN DASH}"
    value, low, high = (f"{100 * part:.1f}" for part in (found.value, found.low, found.high))
    return f"{value} ({low} to {high}), n {found.n}"
