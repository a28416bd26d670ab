"""How times and limits are written for a reader."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone

from classifier.selectors.references import Flag, Reference
from classifier.selectors.references import flag_of as judge

register = template.Library()


@register.filter
def waiting_time(since: datetime) -> str:
    """Write the time passed with its two largest units: ``12 min``, ``3 h 05``, ``2 d 4 h``."""
    minutes = max(0, int((timezone.now() - since).total_seconds() // 60))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"


@register.filter
def plain(limit: Decimal) -> str:
    """Write a limit without the zeros that its column adds: ``7.50`` is "7.5", ``50.00`` "50"."""
    text = f"{limit:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def per_mille(chance: int) -> str:
    """Write a per-mille probability as whole percent, never rounded up to certainty."""
    return f"{chance // 10} %"


@register.filter
def three_digits(value: float) -> str:
    """Write a measure with three digits at most: ``0.2498`` is "0.25", ``40.0`` is "40"."""
    return f"{value:.3g}"


@register.filter
def flag_of(value: Decimal | None, reference: Reference | None) -> Flag:
    """Return the flag of a value beside its reference interval."""
    return judge(value, reference)
