"""Parts of second opinions for the pages of a case."""

from typing import Any

from django import template

from accounts.models import User
from classifier.models import Case
from consultation.selectors.referrals import list_referrals

register = template.Library()


@register.inclusion_tag("consultation/partials/_case_opinions.html")
def case_opinions(case: Case, reader: User) -> dict[str, Any]:
    """Show who was asked for an opinion on the case, and lead to its discussion."""
    return {"case": case, "referrals": list_referrals(case, reader)}
