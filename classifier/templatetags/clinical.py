"""How clinical values are written for a reader."""

from django import template

from classifier.enums import CellType

register = template.Library()


@register.filter
def cell_label(value: str) -> str:
    """Name a cell type: ``immature_granulocyte`` is "Immature granulocyte"."""
    return str(CellType(value).label)


@register.filter
def as_percent(probability: float) -> str:
    """Write a probability as whole percent; never rounded up to certainty.

    Digits that are not there are not claimed: 0.997 is 99 %, only 1.0 is 100 %.
    """
    return f"{int(probability * 100)}\N{NO-BREAK SPACE}%"
