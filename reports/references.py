"""Reference intervals as a report states them."""

from classifier.enums import UNITS
from classifier.selectors.references import Reference
from reports import content as c
from reports.succession import coded


def describe_reference(reference: Reference | None) -> c.Reference | None:
    """Return the interval that judges a value with its version; None without one."""
    if reference is None:
        return None
    return c.Reference(
        quantity=coded(reference.quantity),
        unit=UNITS[reference.quantity],
        low=reference.limits.low,
        high=reference.limits.high,
        version=reference.version,
        source=reference.source,
        is_approved=reference.is_approved,
    )
